"""``howdah ui`` as a person uses it: the daemons' pages in a real browser, from link to link."""

import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from howdah.model.job import JobKind, JobSpec
from tests.integration.conftest import RunningCluster
from tests.integration.place import command_line

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PATIENCE = 60.0
DRAWING = (StaleElementReferenceException, ElementNotInteractableException, ElementClickInterceptedException)
"""What a page says that is just drawing itself."""
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1600,1200",
)
BUSY = """
import time
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("windows").getOrCreate()
until = time.monotonic() + 300
while time.monotonic() < until:
    print("a round of", spark.sparkContext.parallelize(range(1000), 2).map(lambda n: n * n).sum(), flush=True)
    time.sleep(0.5)
"""
FILE = "a file & more.txt"
WITH_PAGES = {"nn1", "snn1", "dn1", "dn2", "rm1", "nm1", "nm2"}
WORDS = "one elephant went out to play\n"


class Window:
    """A browser, and what a person does with it."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        """Type an address."""
        self.driver.get(address)

    def click(self, selector: str) -> None:
        """Click on what the selector finds, as soon as it can be clicked."""
        self._until(f"something to click at {selector}", lambda: self._clicked(self._shown(selector)))

    def follow(self, words: str) -> None:
        """Click on a link that has these words. Links that open in a tab of their own are followed in this one."""
        self._until(f"a link {words!r}", lambda: self._clicked(self._link(words)))
        self.driver.switch_to.window(self.driver.window_handles[-1])

    def sees(self, words: str) -> str:
        """The page's text, once these words are in it."""
        text = ""

        def there() -> bool:
            nonlocal text
            text = self.driver.find_element(By.TAG_NAME, "body").text
            return words in text

        self._until(f"the words {words!r}", there)
        return text

    def is_at(self, pattern: str) -> str:
        """The address, once it is one of these."""
        self._until(f"an address like {pattern}", lambda: re.search(pattern, self.driver.current_url) is not None)
        return self.driver.current_url

    def value(self, selector: str) -> str:
        """What is in a field, once something is."""
        self._until(f"something in {selector}", lambda: bool(self._value(selector)))
        return self._value(selector)

    def _value(self, selector: str) -> str:
        return str(self.driver.find_element(By.CSS_SELECTOR, selector).get_property("value") or "")

    def _shown(self, selector: str) -> WebElement | None:
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return next((one for one in found if one.is_displayed()), None)

    def _link(self, words: str) -> WebElement | None:
        found = self.driver.find_elements(By.PARTIAL_LINK_TEXT, words)
        return next((one for one in found if one.is_displayed()), None)

    @staticmethod
    def _clicked(found: WebElement | None) -> bool:
        if found is None:
            return False
        found.click()
        return True

    def _until(self, what: str, holds: Callable[[], bool]) -> None:
        def looks(driver: Chrome) -> bool:
            try:
                return holds()
            except DRAWING:
                return False

        try:
            WebDriverWait(self.driver, PATIENCE, poll_frequency=0.2).until(looks)
        except TimeoutException:
            text = self.driver.find_element(By.TAG_NAME, "body").text
            pytest.fail(f"no {what} at {self.driver.current_url} after {PATIENCE} s:\n{text[:3000]}", pytrace=False)


@pytest.fixture(scope="module")
def pages(cluster: RunningCluster) -> Iterator[dict[str, str]]:
    """``howdah ui`` while it runs: the addresses that it printed, by instance."""
    with subprocess.Popen(
        # Where the tests run in the background, SIGINT is ignored, and so it would be in what they start.
        ("env", "--default-signal=INT", *command_line("ui", cluster.name)),
        env=cluster.place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as ui:
        try:
            assert ui.stdout is not None
            found: dict[str, str] = {}
            while len(found) < len(WITH_PAGES) and (line := ui.stdout.readline()):
                instance, _, address = line.split()
                found[instance] = address
            assert set(found) == WITH_PAGES, ui.communicate(timeout=30)
            yield found
        finally:
            ui.send_signal(signal.SIGINT)
            _, said = ui.communicate(timeout=30)
    assert "Traceback" not in said
    assert ui.returncode in (0, 130), said


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if None in programs:
        pytest.fail("chromium and chromedriver must be there: script/bootstrap --test", pytrace=False)
    chromium, chromedriver = map(str, programs)
    options = ChromeOptions()
    options.binary_location = chromium
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(option)
    driver = Chrome(options, Service(chromedriver))
    try:
        driver.set_page_load_timeout(PATIENCE)
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def window(browser: Chrome) -> Iterator[Window]:
    browser.switch_to.new_window("tab")
    yield Window(browser)
    while len(browser.window_handles) > 1:
        browser.switch_to.window(browser.window_handles[-1])
        browser.close()
    browser.switch_to.window(browser.window_handles[0])


@pytest.fixture
def folder(cluster: RunningCluster, tmp_path: Path) -> Iterator[str]:
    """A folder at HDFS's top, with a file in it."""
    (tmp_path / FILE).write_text(WORDS)
    with cluster.client.files(cluster.name) as files:
        files.mkdir("/windows")
        files.put(str(tmp_path / FILE), "/windows/")
        yield "windows"
        files.rm("/windows", recursive=True, skip_trash=True)


@pytest.fixture
def job(cluster: RunningCluster, tmp_path: Path) -> Iterator[str]:
    """The application of a PySpark job that runs for as long as somebody looks.

    It is well under way: Spark answers before its pages are there, with 404.
    """
    program = tmp_path / "busy.py"
    program.write_text(BUSY)
    with cluster.place.client() as client:
        job_id = client.jobs.submit(cluster.name, JobSpec(JobKind.SPARK, str(program))).id
        try:
            for output in client.jobs.follow(job_id):
                if b"a round of" in output.content:
                    break
            status = client.jobs.show(job_id)
            assert [one.state for one in status.applications] == ["RUNNING"], status.sentence
            yield status.applications[0].id
        finally:
            client.jobs.kill(job_id)


def test_from_the_namenode_to_a_datanode(cluster: RunningCluster, pages: dict[str, str], window: Window) -> None:
    window.open(pages["nn1"])
    # The address for programs stands there as it is.
    assert "Live Nodes" in window.sees(f"Overview 'nn1.{cluster.name}.howdah:8020'")
    window.click("a[href='#tab-datanode']")
    assert f"dn2.{cluster.name}.howdah:9866" in window.sees(f"dn1.{cluster.name}.howdah:9866")
    window.follow(f"dn1-9864.{cluster.name}.localhost")
    assert window.is_at(r"/datanode\.html").startswith(pages["dn1"])
    window.sees(f"nn1.{cluster.name}.howdah:8020")


def test_from_the_namenode_to_a_file(pages: dict[str, str], window: Window, folder: str) -> None:
    """Its first bytes come from a DataNode, by a redirect to another origin."""
    window.open(pages["nn1"])
    window.click("a.dropdown-toggle")
    window.follow("Browse the file system")
    window.is_at(r"/explorer\.html")
    window.follow(folder)
    window.follow(FILE)
    window.sees("Block Pool ID")
    window.follow("Head the file")
    assert window.value("#file-info-preview-body") == WORDS


def test_from_the_resourcemanager_to_a_nodemanager(
    cluster: RunningCluster, pages: dict[str, str], window: Window
) -> None:
    window.open(pages["rm1"])
    window.sees("Cluster overview")
    window.follow("Nodes")
    window.is_at("/cluster/nodes")
    window.follow(f"nm2-8042.{cluster.name}.localhost")
    assert window.is_at("/node").startswith(pages["nm2"])
    window.sees("NodeManager information")


def test_from_a_running_job_to_its_pages_and_logs(
    cluster: RunningCluster, pages: dict[str, str], window: Window, job: str
) -> None:
    window.open(pages["rm1"])
    window.follow("Applications")
    window.follow(job)
    window.is_at(f"/cluster/app/{job}")
    window.follow("ApplicationMaster")
    assert window.is_at(f"/proxy/{job}").startswith(pages["rm1"])
    window.sees("Completed Jobs")
    window.follow("Executors")
    assert window.is_at("/executors").startswith(pages["rm1"])
    window.sees("Thread Dump")
    window.follow("stderr")
    assert window.is_at("/node/containerlogs/").startswith((pages["nm1"], pages["nm2"]))
    window.sees("Executor")
