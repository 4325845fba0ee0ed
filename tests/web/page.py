# SPDX-License-Identifier: ISC
# The page of bindings/web in a browser without a screen, by keyboard alone: echo against the program, a chat of two browsers, errors, what a screen
# reader is told, the content security policy. Usage: python3 tests/web/page.py BUILD [chromium|firefox|webkit]     Screenshots: BUILD/web/screenshots
# (Debian: python3-selenium websockify magic-wormhole-transit-relay; for the browsers see engines.py)
import atexit, functools, http.server, os, pathlib, re, shutil, socket, subprocess, sys, tempfile, threading, time
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
import engines

build = pathlib.Path(sys.argv[1]).resolve()
engine = sys.argv[2] if len(sys.argv) > 2 else "chromium"
if engines.missing(engine):
    print(f"skip web: {engine}: not here (Debian: {engines.missing(engine)})")
    sys.exit(0)
shots = build / "web" / "screenshots"
shots.mkdir(exist_ok=True)
has_devtools = engine == "chromium"  # sizes and colours of a screen that is not there, the tree of accessible names, complaints
tmp = pathlib.Path(tempfile.mkdtemp())
started, pages, failures = [], [], 0


@atexit.register
def stop():
    for page in pages:
        page.driver.quit()
    for process in started:
        process.kill()
        process.wait()
    shutil.rmtree(tmp, ignore_errors=True)


def test(name):
    def run(f):
        global failures
        try:
            f()
            print(f"pass web: {engine}:", name, flush=True)
        except Exception as error:
            failures += 1
            print(f"FAIL web: {engine}: {name}: {type(error).__name__}: {error}", flush=True)
            for i, page in enumerate(pages):
                page.shot(f"failure-{failures}-{i}")
    return run


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def until(f, what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = f()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"never: {what}")


# ---- what stands behind the page ----
def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def is_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def start(*command, port=None):
    log = open(tmp / f"log{len(started)}", "w+b")
    process = subprocess.Popen([str(c) for c in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=tmp)
    process.log = pathlib.Path(log.name)
    started.append(process)
    if port:
        until(lambda: is_open(port), f"{command[0]} listens")
    return process


def websockify(target):
    port = free_port()
    start("websockify", f"127.0.0.1:{port}", f"127.0.0.1:{target}", port=port)
    return f"ws://127.0.0.1:{port}/"


svconn = build / "svconn"
key = tmp / "server.key"
subprocess.run([svconn, "keygen", "-o", key], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
fingerprint = re.search(r"fingerprint: (.*)", subprocess.run([svconn, "id", key], check=True, stdout=subprocess.PIPE, text=True).stdout)[1]


def echo_server(*options):
    server = start(svconn, "echo-server", "tcp://127.0.0.1:0", "--key", key, "--verbose", *options)
    port = until(lambda: re.search(r"listening on .*:(\d+)", server.log.read_text()), "echo-server listens")[1]
    return server, websockify(port)


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=build / "web" / "page"))
threading.Thread(target=files.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{files.server_port}/"


# ---- a browser ----
class Page:
    def __init__(self, size=(900, 1500)):
        self.driver = engines.browser(engine, tmp)
        pages.append(self)
        self.look(*size)
        self.open()

    def open(self, what=""):
        self.driver.get("about:blank")
        self.driver.get(url + what)
        self.state("Not connected.")

    def look(self, width, height=1500, scheme="light"):
        if not has_devtools:
            self.driver.set_window_rect(width=width, height=height)
            return
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def id(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.id(name).get_property("textContent")

    def state(self, what):
        until(lambda: what in self.text("status"), f"state {what!r}, but {self.text('status')!r} {self.text('error')!r}")

    def trouble(self, what):
        until(lambda: what in self.text("error"), f"error {what!r}, but {self.text('error')!r}")

    def shot(self, name):
        self.driver.save_screenshot(str(shots / f"{engine}-{name}.png"))

    # the keyboard, and nothing else
    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def focus(self):
        return self.driver.switch_to.active_element

    # By the shorter way, which does not leave the page: a Firefox without a screen does not come back from its own buttons.
    def tab_to(self, name):
        for _ in range(40):
            if self.focus().get_attribute("id") == name:
                return
            before = self.driver.execute_script(
                "return !!(document.activeElement.compareDocumentPosition(document.getElementById(arguments[0])) & Node.DOCUMENT_POSITION_PRECEDING)", name)
            if before:
                ActionChains(self.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
            else:
                self.press(Keys.TAB)
        raise AssertionError(f"Tab does not reach {name}")

    def fill(self, name, value):
        self.tab_to(name)
        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys("a").key_up(Keys.CONTROL).send_keys(Keys.DELETE, value).perform()

    def question(self):
        until(lambda: self.id("question").get_property("open"), f"the question; {self.text('status')} {self.text('error')}")

    def messages(self):
        return [item.text for item in self.driver.find_elements(By.CSS_SELECTOR, "#log p")]

    def ready(self):
        until(lambda: self.id("connect").is_enabled(), "it is over")


one = Page()


@test("echo, by keyboard: a new key is asked about, the digits are those of the server")
def _():
    server, address = echo_server("--peer", one.text("my-key"))
    one.fill("address", address)
    one.press(Keys.ENTER)
    one.question()
    check(one.text("question-fingerprint") == fingerprint, "another fingerprint")
    check(one.focus().get_attribute("id") == "no", "the focus is not on No")
    one.shot("question")
    one.tab_to("remember")
    one.press(Keys.SPACE)
    one.tab_to("yes")
    one.press(Keys.ENTER)
    one.state("Connected.")
    check(one.focus().get_attribute("id") == "text", "the focus is not where one writes")
    check(one.text("digits") in server.log.read_text(), "other digits")
    check(one.text("peer") == fingerprint, "another peer")
    one.press("Grüße ☺ <b>", Keys.ENTER)
    until(lambda: one.messages() == ["You: Grüße ☺ <b>", "Echo: Grüße ☺ <b>"], f"the echo; {one.messages()}")
    one.press("x" * 4000, Keys.ENTER)
    until(lambda: one.messages()[3:] == ["Echo: " + "x" * 4000], "a long line")
    one.shot("echo-light")
    one.look(900, scheme="dark")
    one.shot("echo-dark")
    one.look(320, 1900)
    width, room = one.driver.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    check(width <= room and (room == 320 or not has_devtools), f"it needs {width} pixels and has {room}")
    one.shot("echo-320")
    one.look(900)
    one.driver.execute_script("document.activeElement.blur()")
    one.tab_to("disconnect")
    one.press(Keys.ENTER)
    one.state("Disconnected. Both sides have ended it in order.")
    one.ready()
    one.press(Keys.ENTER)  # the focus is on Connect; a key that is remembered is not asked about
    one.state("Connected.")
    server.kill()
    one.trouble("The link broke.")


@test("what it keeps: the known key, and our own only if asked to")
def _():
    fresh = one.text("my-fingerprint")
    stored = lambda: one.driver.execute_script("return Object.keys(localStorage).sort().join()")
    check(stored() == "svconn known keys", stored())
    one.open()
    check(one.text("my-fingerprint") != fresh, "the key was kept")
    one.tab_to("keep")
    one.press(Keys.ENTER)
    until(lambda: stored() == "svconn key,svconn known keys", stored())
    mine = one.text("my-fingerprint")
    one.open()
    check(one.text("my-fingerprint") == mine, "the key was not kept")
    one.tab_to("keep")
    one.press(Keys.ENTER)
    check(stored() == "svconn known keys", stored())
    one.driver.execute_script("localStorage.clear()")
    one.open()


@test("errors say what to do: nobody there, no address, no room, refused by us, refused by them, something else")
def _():
    one.fill("address", f"ws://127.0.0.1:{free_port()}/")
    one.press(Keys.ENTER)
    one.trouble("Nobody answers there.")
    one.ready()
    one.shot("error-light")
    one.look(320, 1900, "dark")
    one.shot("error-320-dark")
    one.look(900)
    one.fill("address", "http:/nonsense")
    one.press(Keys.ENTER)
    until(lambda: re.match("Nobody answers there|This is no address", one.text("error")), "an error")  # some take it for ws://
    one.ready()
    _, address = echo_server("--peer", "1" * 64)
    one.fill("address", address)
    one.press(Keys.ENTER)
    one.question()
    one.press(Keys.ESCAPE)  # is a No
    one.trouble("You said that you do not know this key")
    one.ready()
    one.press(Keys.ENTER)
    one.question()
    one.tab_to("yes")
    one.press(Keys.ENTER)
    one.trouble("The other side ended it.")
    one.ready()
    one.fill("address", websockify(files.server_port))  # a server that waits for us to begin
    one.press(Keys.ENTER)
    one.state("Negotiating keys")
    one.tab_to("disconnect")
    one.press(Keys.ENTER)
    one.trouble("You stopped it.")
    one.ready()


@test("an answer that comes too late for the server is good for the next call")
def _():
    _, address = echo_server("--peer", "any")
    one.open()
    one.fill("address", address)
    one.press(Keys.ENTER)
    one.question()
    one.state("The other side has not waited for your answer.")
    one.tab_to("yes")
    one.press(Keys.ENTER)
    one.state("Now you know this key.")
    one.ready()
    one.press(Keys.ENTER)
    one.state("Connected.")
    one.tab_to("disconnect")
    one.press(Keys.ENTER)
    one.ready()


@test("a screen reader is told of everything: names, roles, live regions")
def _():
    check(one.id("error").get_attribute("role") == "alert" and one.id("log").get_attribute("role") == "log", "live regions")
    check(one.driver.execute_script("return document.documentElement.lang") == "en", "language")
    if not has_devtools:
        return
    tree = one.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    value = lambda node, what: node.get(what, {}).get("value", "")
    nodes = [n for n in tree if not n.get("ignored")]
    controls = [n for n in nodes if value(n, "role") in ("button", "textbox", "radio", "checkbox", "log", "radiogroup", "group", "form")]
    check(len(controls) >= 9, f"{len(controls)} controls")
    nameless = [value(n, "role") for n in controls if not value(n, "name")]
    check(not nameless, f"without a name: {nameless}")
    roles = [value(n, "role") for n in nodes]
    check(roles.count("status") == 1 and roles.count("heading") >= 4 and "main" in roles and "banner" in roles, f"roles: {sorted(set(roles))}")
    live = {p["name"]: p["value"]["value"] for n in nodes if value(n, "role") == "status" for p in n.get("properties", [])}
    check(live.get("live") == "polite", f"status: {live}")


@test("Tab goes through all controls, in the order of the page, and the focus can be seen")
def _():
    one.open()
    one.driver.execute_script("document.querySelector('[value=chat]').click(); document.activeElement.blur(); window.scrollTo(0, 0)")
    seen = []
    for _ in range(20):
        one.press(Keys.TAB)
        element = one.focus()
        name = element.get_attribute("id") or element.get_attribute("name")
        if not name or name in seen:
            break
        outline = element.value_of_css_property("outline-style"), element.value_of_css_property("outline-width")
        check(outline[0] == "solid" and float(outline[1][:-2]) >= 2, f"{name}: outline {outline}")
        seen.append(name)
    wanted = ["mode", "address", "room", "new-room", "copy-link", "role", "connect", "keep", "new-key"]
    check(seen == wanted, f"{seen}")


@test("the content security policy: no eval, no inline script, nothing from elsewhere, and no complaint about the page itself")
def _():
    if has_devtools:
        complaints = [e for page in pages for e in page.driver.get_log("browser")
                      if e["source"] in ("security", "javascript") or "Content Security Policy" in e["message"]]
        check(not complaints, str(complaints[:3]))
    # (what selenium runs is above the policy; what it puts into the page is not)
    one.driver.execute_script("""
        window.caught = []
        document.addEventListener('securitypolicyviolation', (event) => window.caught.push(event.effectiveDirective))
        for (const code of ['eval("window.bad = 1")', 'window.bad = 2']) {
            try { const s = document.createElement('script'); s.text = code; document.head.append(s) } catch (error) { window.caught.push('types') }
        }
        const i = document.createElement('img'); i.src = 'https://example.org/x.png'; document.body.append(i)
        try { document.body.insertAdjacentHTML('beforeend', '<b onclick="window.bad = 3">x</b>') } catch { window.caught.push('html') }
        """)
    caught = until(lambda: len(one.driver.execute_script("return window.caught")) >= 4 and one.driver.execute_script("return window.caught"), "violations")
    check(one.driver.execute_script("return window.bad ?? 0") == 0, "a script ran")
    check("img-src" in caught and ("types" in caught or "script-src-elem" in caught) and "html" in caught, str(caught))
    if has_devtools:
        one.driver.get_log("browser")
    one.open()


if shutil.which("twistd3") and "transitrelay" in subprocess.run(["twistd3", "--help"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout:
    port = free_port()
    start("twistd3", "--nodaemon", "--pidfile=", "transitrelay", "--port", f"tcp:{port}:interface=127.0.0.1", port=port)
    relay = websockify(port)
    two = Page()

    def say_yes():
        for page, other in ((two, one), (one, two)):
            page.question()
            check(page.text("question-fingerprint") == other.text("my-fingerprint"), "another fingerprint")
            page.tab_to("yes")
            page.press(Keys.ENTER)

    @test("a chat of two browsers across a transit relay: both are asked, both see the same digits")
    def _():
        one.tab_to("address")
        ActionChains(one.driver).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).send_keys(Keys.ARROW_DOWN).perform()  # the radio buttons
        one.fill("address", relay)
        one.tab_to("new-room")
        one.press(Keys.ENTER)
        one.state("A new room is made.")
        room = one.id("room").get_property("value")
        check(re.fullmatch("[0-9a-f]{64}", room), room)
        one.shot("chat-form")
        one.tab_to("connect")
        one.press(Keys.ENTER)
        one.state("Waiting for the other side")
        two.open(f"#address={relay}&room={room}")
        two.tab_to("connect")
        two.press(Keys.ENTER)
        say_yes()
        for page in (one, two):
            page.state("Connected.")
        check(one.text("digits") == two.text("digits") and re.fullmatch(r"\d{5}( \d{5}){3}", one.text("digits")), "other digits")
        one.press("hello", Keys.ENTER)
        until(lambda: two.messages() == ["Other: hello"], "the message")
        two.press("hello yourself", Keys.ENTER)
        until(lambda: one.messages() == ["You: hello", "Other: hello yourself"], "the answer")
        one.shot("chat-connected")
        two.tab_to("disconnect")
        two.press(Keys.ENTER)
        for page in (one, two):
            page.state("Disconnected. Both sides have ended it in order.")
            page.ready()

    # (Firefox asks a page whether it may go, but does not wait for long: on a busy machine it is worth another try.)
    @test("who leaves the page closes in order; keys are known from before")
    def _():
        room = one.id("room").get_property("value")
        for tries in range(3 if engine == "firefox" else 1):
            if tries:  # its key is new, and it knows nobody
                two.open(f"#address={relay}&room={room}")
                for page in (one, two):
                    page.tab_to("connect")
            one.press(Keys.ENTER)
            one.state("Waiting for the other side")
            two.press(Keys.ENTER)
            if tries:
                say_yes()
            for page in (one, two):
                page.state("Connected.")
            two.driver.get("about:blank")
            one.ready()
            if "Disconnected." in one.text("status"):
                break
        one.state("Disconnected.")

    @test("the program in the same room: svconn echo-server wormhole://")
    def _():
        room = "ab" * 32
        program = start(svconn, "echo-server", f"wormhole://127.0.0.1:{port}/{room}", "--key", key, "--peer", "any", "--once", "--verbose")
        one.open()
        one.fill("address", relay)
        one.fill("room", room)
        one.press(Keys.ENTER)
        one.question()
        check(one.text("question-fingerprint") == fingerprint, "another fingerprint")
        one.tab_to("yes")
        one.press(Keys.ENTER)
        one.state("Connected.")
        one.press("by way of the room", Keys.ENTER)
        until(lambda: one.messages()[1:] == ["Echo: by way of the room"], "the echo")
        one.tab_to("disconnect")
        one.press(Keys.ENTER)
        one.state("Disconnected.")
        check(program.wait(10) == 0, program.log.read_text())
else:
    print("skip web: page: the chat: no transit relay here (Debian: magic-wormhole-transit-relay)")

sys.exit(1 if failures else 0)
