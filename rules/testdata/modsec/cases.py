"""Sends the rule cases, and the reference corpora if given, to the two servers of run.sh and compares the verdicts."""
import base64, glob, http.server, json, os, re, socket, sys, threading, time

PATIENCE = 60  # seconds; it only decides how soon a broken server is reported
ANSWER = "X-Sallyport-Test-Answer"  # what the backend gives back, in Base64
ONLY = "X-Sallyport-Test-Only"  # names the one rule that may deny; absent: all of them
# Known differences: the engine decides before the rules do, or does not show them what they need.
DIFFERENT = {
    ("apache", 9599211, "evasion"): "Apache joins the two fields; 9599210 refuses the result",
    ("apache", 9599220, "negative"): "the module itself answers 500 to JSON that is cut short",
}


def denying(folder):
    ids = []
    for name in sorted(glob.glob(os.path.join(folder, "*.conf"))):
        with open(name, encoding="utf-8") as f:
            ids += [int(i) for i in re.findall(r"id:(\d+),phase:\d,deny", f.read())]
    return ids


class Backend(http.server.BaseHTTPRequestHandler):
    """Answers every request, with JSON if the request says which."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = self.headers.get(ANSWER)
        body = base64.b64decode(text) if text else b"backend\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json" if text else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


def switches(folder):
    """Rules that remove every other rule, and that set the paranoia level and the oldest revision, for requests that carry the test header."""
    n = 1
    for rule in denying(folder):
        ctl = ",".join("ctl:ruleRemoveById=%d" % other for other in denying(folder) if other != rule)
        print('SecRule REQUEST_HEADERS:%s "@streq %d" "id:%d,phase:1,pass,nolog,t:none,%s"' % (ONLY, rule, n, ctl))
        n += 1
    print('SecRule REQUEST_HEADERS:X-Sallyport-Test-Level "@rx \\A[23]\\z" "id:%d,phase:1,pass,nolog,t:none,'
          'setvar:tx.sallyport_paranoia_level=%%{MATCHED_VAR}"' % n)
    print('SecRule REQUEST_HEADERS:X-Sallyport-Test-Min-Version "@rx \\A[0-9]{8}\\z" "id:%d,phase:1,pass,nolog,t:none,'
          'setvar:tx.sallyport_min_version=%%{MATCHED_VAR}"' % (n + 1))


def send(port, method, target, headers, body):
    head = "%s %s HTTP/1.1\r\n" % (method, target)
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        head += "Host: server.example.com\r\n"
    if body and "content-length" not in names:
        head += "Content-Length: %d\r\n" % len(body)
    head += "".join("%s: %s\r\n" % h for h in headers) + "Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
        try:
            s.sendall(head.encode("latin-1") + body)
        except ConnectionError:
            pass  # it has answered already
        try:
            answer = s.makefile("rb").readline().split()
        except ConnectionError:
            return 0
        return int(answer[1]) if len(answer) > 1 else 0


def values(v):
    if v is None:
        return []
    if isinstance(v, dict):
        return [v["fill"] * v["times"]]
    return v if isinstance(v, list) else [v]


def request(c):
    headers, body = [], None
    if "call" in c:
        c = dict(c, request="POST /mcp", headers={"Authorization": "Bearer t"})
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": c["call"]}, ensure_ascii=False).encode()
    if "body" in c:
        body = json.dumps(c["body"], ensure_ascii=False).encode()
    if "text" in c:
        body = c["text"].encode()
    if "members" in c:
        body = ('{"jsonrpc":"2.0"' + ',"m":1' * (c["members"] - 1) + "}").encode()
    given = c.get("headers", {})
    if body is not None and "content-type" not in {n.lower() for n in given}:
        headers.append(("Content-Type", "application/json"))
    for name, v in given.items():
        headers += [(name, one) for one in values(v)]
    if "names" in c:
        headers.append((c["names"]["fill"] * c["names"]["times"], "v"))
    headers += [("X-Field-%d" % i, "v") for i in range(c.get("fields", 0))]
    if "answer" in c:
        headers.append((ANSWER, base64.b64encode(c["answer"].encode()).decode()))
    headers += [(ONLY, str(c["rule"])), ("X-Sallyport-Test-Level", str(c.get("level", 1)))]
    if "min_version" in c:
        headers.append(("X-Sallyport-Test-Min-Version", str(c["min_version"])))
    method, _, target = c["request"].partition(" ")
    return method, target, headers, body or b""


def ports():
    """Prints three ports that are free, below those that systems give out by themselves."""
    found = []
    for port in range(18000 + os.getpid() % 1000 * 10, 32000):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                found.append(str(port))
            except OSError:
                continue
        if len(found) == 3:
            break
    print(*found)


def await_server(port):
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def run(numbers, folder, corpus):
    nginx, apache, backend = map(int, numbers.split())
    servers = {"nginx": nginx, "apache": apache}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", backend), Backend)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for port in servers.values():
        await_server(port)
    wrong = total = 0
    for name in sorted(glob.glob(os.path.join(folder, "*.yaml"))):
        if os.path.basename(name) == "coraza.yaml":
            continue
        with open(name, encoding="utf-8") as f:
            lines = [line[2:] for line in f if line.startswith("- ")]
        for c in map(json.loads, lines):
            for server, port in servers.items():
                status = send(port, *request(c))
                # NGINX has sent the header by then, in its own buffer: it closes the connection instead.
                denied = status >= 400 or ("answer" in c and status == 0)
                total += 1
                if denied != (c["case"] != "negative"):
                    known = DIFFERENT.get((server, c["rule"], c["case"]))
                    wrong += not known
                    print("%s: %d %s: %s: %d%s" % (server, c["rule"], c["case"], c.get("request", c.get("call")), status,
                                                  " (%s)" % known if known else ""))
    print("%d verdicts on cases, %d wrong" % (total, wrong))
    if corpus:
        for name in "attacks.jsonl", "benign.jsonl":
            counts = {}
            with open(os.path.join(corpus, name), encoding="utf-8") as f:
                for c in map(json.loads, f):
                    r = c["request"]
                    if c.get("delivery") == "parsed" or "response" in c:
                        continue
                    if name.startswith("attacks") and c["layer"] != "rules":
                        continue
                    body = base64.b64decode(r["body_b64"]) if "body_b64" in r else r.get("body", "").encode()
                    for server, port in servers.items():
                        status = send(port, r["method"], r["path"], [tuple(h) for h in r["headers"] if h[0].lower() != "connection"], body)
                        got = "refused" if status >= 400 else "passed"
                        counts[server, got] = counts.get((server, got), 0) + 1
                        if (got == "refused") != (c["expect"] == "block"):
                            print("%s: %s %s with %d: %s" % (server, c["id"], got, status, c["why"]))
            print(name, counts)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1] == "switches":
        switches(sys.argv[2])
    elif sys.argv[1] == "ports":
        ports()
    else:
        sys.exit(run(sys.argv[2], sys.argv[3], sys.argv[4]))
