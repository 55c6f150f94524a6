"""How a definition is laid over the one that it extends: mappings merge, everything else is replaced."""

from howdah.definitions.tree import Entry, Node, Scalar, Table
from howdah.errors import UserError


def merge(parent: Table, child: Table) -> Table:
    """The child's values go before the parent's; keys keep the parent's order, new ones follow."""
    entries = dict(parent.entries)
    for key, entry in child.entries.items():
        below = entries.get(key)
        if below is not None and isinstance(below.value, Table) and isinstance(entry.value, Table):
            entries[key] = Entry(key, entry.place, merge(below.value, entry.value))
        else:
            entries[key] = entry
    return Table(entries, child.place)


def overlay(parent: Table, child: Table) -> Table:
    """``merge`` for two whole definitions whose roles are spelled out (see ``spell_out``).

    Raises UserError where the child names no group of a role that has others: it would add one nobody meant.
    """
    mine, theirs = child.get("roles"), parent.get("roles")
    if isinstance(mine, Table) and isinstance(theirs, Table):
        for role, entry in mine.entries.items():
            groups = _groups(entry.value)
            known = _groups(theirs.get(role))
            is_short = groups is not None and groups.place == entry.value.place
            if groups is not None and known is not None and is_short and "default" not in known.entries:
                names = ", ".join(known.entries)
                what = f"roles.{role} does not say which group it means: the extended definition has {names}"
                raise UserError(what, fix="write `groups:` and the group's name", place=str(entry.place))
    return merge(parent, child)


def _groups(role: Node | None) -> Table | None:
    groups = role.get("groups") if isinstance(role, Table) else None
    return groups if isinstance(groups, Table) else None


def spell_out(document: Table) -> Table:
    """The same definition with every role in the form with groups: fields right at a role mean a group ``default``."""
    roles = document.get("roles")
    if not isinstance(roles, Table):
        return document
    entries = {key: Entry(key, entry.place, _spelled(entry.value)) for key, entry in roles.entries.items()}
    top = dict(document.entries)
    top["roles"] = Entry("roles", document.entries["roles"].place, Table(entries, roles.place))
    return Table(top, document.place)


def _spelled(role: Node) -> Node:
    if isinstance(role, Scalar) and role.is_null:
        role = Table({}, role.place)
    if not isinstance(role, Table) or "groups" in role.entries:
        return role
    group = Entry("default", role.place, role)
    return Table({"groups": Entry("groups", role.place, Table({"default": group}, role.place))}, role.place)


ROLE_ONLY = ("groups", "configuration")


def distribute(document: Table) -> Table:
    """Give every group its role's fields as defaults; ``configuration`` stays at the role, for it has its own rank."""
    roles = document.get("roles")
    if not isinstance(roles, Table):
        return document
    entries = {key: Entry(key, entry.place, _distributed(entry.value)) for key, entry in roles.entries.items()}
    top = dict(document.entries)
    top["roles"] = Entry("roles", document.entries["roles"].place, Table(entries, roles.place))
    return Table(top, document.place)


def _distributed(role: Node) -> Node:
    groups = _groups(role)
    if not isinstance(role, Table) or groups is None:
        return role
    defaults = Table({key: entry for key, entry in role.entries.items() if key not in ROLE_ONLY}, role.place)
    entries: dict[str, Entry] = {}
    for name, entry in groups.entries.items():
        own = Table({}, entry.value.place) if isinstance(entry.value, Scalar) and entry.value.is_null else entry.value
        entries[name] = Entry(name, entry.place, merge(defaults, own) if isinstance(own, Table) else own)
    kept = {key: entry for key, entry in role.entries.items() if key in ROLE_ONLY}
    kept["groups"] = Entry("groups", role.entries["groups"].place, Table(entries, groups.place))
    return Table(kept, role.place)
