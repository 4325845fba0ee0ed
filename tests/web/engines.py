# SPDX-License-Identifier: ISC
# The browsers of page.py without a screen, each as a WebDriver of selenium: chromium; firefox, by its own protocol Marionette, as Debian has no
# geckodriver; webkit: WebKitGTK's MiniBrowser, the nearest to Safari that there is here, which needs an X server.
import atexit, glob, json, os, pathlib, shutil, socket, subprocess, tempfile, time
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options as ChromeOptions
from selenium.webdriver.chrome.service import Service as ChromeService
from selenium.webdriver.remote.errorhandler import ErrorHandler
from selenium.webdriver.webkitgtk.options import Options as WebKitOptions

MINIBROWSER = "/usr/lib/*/webkit2gtk-4.1/MiniBrowser"
NEEDS = {
    "chromium": (("chromium", "chromedriver"), "chromium chromium-driver"),
    "firefox": (("firefox-esr",), "firefox-esr"),
    "webkit": (("WebKitWebDriver", "Xvfb"), "webkit2gtk-driver xvfb"),
}


def missing(engine):
    """The Debian packages for this engine, if one of its programs is not here"""
    programs, packages = NEEDS[engine]
    here = all(shutil.which(program) for program in programs) and (engine != "webkit" or glob.glob(MINIBROWSER))
    return None if here else packages


def chromium(directory):
    options = ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={directory}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=ChromeService(shutil.which("chromedriver")), options=options)


display = None


def webkit(directory):
    global display
    if not display:
        read, write = os.pipe()
        screen = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x2000x24"], pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            display = f":{number.readline().strip()}"
        atexit.register(lambda: (screen.kill(), screen.wait()))
        os.environ["DISPLAY"] = display
    options = WebKitOptions()
    options.binary_location = glob.glob(MINIBROWSER)[0]
    options.add_argument("--automation")
    return webdriver.WebKitGTK(options=options)


# ---- Firefox ----
# A message of Marionette is LENGTH:JSON; a request is [0, id, name, parameters], its answer [1, id, error or null, result].
class Marionette:
    NAMES = {
        "newSession": "NewSession", "get": "Navigate", "getTitle": "GetTitle", "findElement": "FindElement", "findElements": "FindElements",
        "w3cExecuteScript": "ExecuteScript", "actions": "PerformActions", "w3cGetActiveElement": "GetActiveElement", "getElementText": "GetElementText",
        "getElementProperty": "GetElementProperty", "isElementEnabled": "IsElementEnabled", "getElementValueOfCssProperty": "GetElementCSSValue",
        "clickElement": "ElementClick", "screenshot": "TakeScreenshot", "setWindowRect": "SetWindowRect",
    }
    ONE_VALUE = {"newSession", "findElements", "setWindowRect"}  # whose result is not in "value"

    def __init__(self, directory):
        preferences = {"marionette.port": 0, "datareporting.policy.dataSubmissionEnabled": False, "app.update.enabled": False, "dom.disable_beforeunload": False, "remote.prefs.recommended": False, "focusmanager.testmode": True}
        (pathlib.Path(directory) / "user.js").write_text("".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in preferences.items()))
        self.process = subprocess.Popen(["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", directory],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.close)
        said, end = pathlib.Path(directory) / "MarionetteActivePort", time.monotonic() + 60
        while not said.exists() or not said.read_text().strip():
            if self.process.poll() is not None or time.monotonic() > end:
                raise WebDriverException("Firefox does not start")
            time.sleep(0.05)
        self.stream = socket.create_connection(("127.0.0.1", int(said.read_text()))).makefile("rwb")
        self.asked, self.errors = 0, ErrorHandler()
        self.read()  # who it is

    def close(self):
        self.process.kill()
        self.process.wait()

    def read(self):
        length = b""
        while not length.endswith(b":"):
            byte = self.stream.read(1)
            if not byte:
                raise WebDriverException("Firefox has gone")
            length += byte
        return json.loads(self.stream.read(int(length[:-1])))

    def execute(self, command, parameters):
        """What webdriver.Remote asks of its executor"""
        parameters = {k: v for k, v in parameters.items() if k != "sessionId"}
        if command == "quit":
            return {"value": None}  # close() comes next
        if command == "newSession":
            parameters = parameters["capabilities"]
        self.asked += 1
        message = json.dumps([0, self.asked, f"WebDriver:{self.NAMES[command]}", parameters]).encode()
        self.stream.write(b"%d:%s" % (len(message), message))
        self.stream.flush()
        _, _, error, value = self.read()
        if error:
            self.errors.check_response({"status": 500, "value": json.dumps({"value": error})})
        return {"value": value if command in self.ONE_VALUE else (value or {}).get("value")}


def firefox(directory):
    options = webdriver.FirefoxOptions()
    return webdriver.Remote(command_executor=Marionette(directory), options=options)


def browser(engine, directory):
    """A WebDriver that keeps what it knows in the directory, or nowhere"""
    return {"chromium": chromium, "firefox": firefox, "webkit": webkit}[engine](tempfile.mkdtemp(dir=directory))
