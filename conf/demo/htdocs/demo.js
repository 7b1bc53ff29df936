/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* One upload per file: a fresh identifier, the form, and meanwhile the server's
 * own word on how far it is. Without this script the form works as it is. */
(function () {
    "use strict";

    var form = document.getElementById("form");
    var input = document.getElementById("file");
    var choice = document.getElementById("choice");
    var drop = document.getElementById("drop");
    var list = document.getElementById("uploads");

    document.getElementById("curl").textContent =
        "curl -F title=Hello -F file=@README " + location.origin + "/upload";

    function bytes(count) {
        var units = ["B", "KiB", "MiB", "GiB"];
        var n = 0;
        while (count >= 1024 && n < units.length - 1) {
            count /= 1024;
            n += 1;
        }
        return (n ? count.toFixed(1) : count) + " " + units[n];
    }

    function element(name, className, parent) {
        var e = document.createElement(name);
        e.className = className;
        parent.appendChild(e);
        return e;
    }

    function row(file) {
        var item = element("li", "", list);
        var head = element("div", "head", item);
        var result = {
            item: item,
            name: element("span", "name", head),
            state: element("span", "state", head),
            bar: element("progress", "", item)
        };
        result.name.textContent = file.name;
        result.state.textContent = "starting";
        result.bar.max = 1;
        result.bar.value = 0;
        return result;
    }

    function show(view, status) {
        if (status.state === "uploading" && status.size) {
            view.bar.value = status.received / status.size;
            view.state.textContent =
                bytes(status.received) + " of " + bytes(status.size);
        }
    }

    function fail(view, text) {
        view.item.classList.add("error");
        view.state.textContent = text;
    }

    function finish(view, file, answer) {
        var details = element("details", "", view.item);
        var link = document.createElement("a");
        view.bar.value = 1;
        view.state.textContent = bytes(file.size) + ", done";
        link.href = "/upload/file?X-Progress-ID=" +
            encodeURIComponent(answer.body.identifier);
        link.textContent = file.name;
        view.name.textContent = "";
        view.name.appendChild(link);
        element("summary", "", details).textContent =
            "What the application received";
        element("pre", "", details).textContent =
            JSON.stringify(answer, null, 2);
        details.open = list.children.length === 1;
    }

    async function upload(file, title) {
        var view = row(file);
        var data = new FormData();
        var running = true;
        var accept = { Accept: "application/json" };
        data.append("title", title);
        data.append("file", file);
        try {
            var minted = await fetch("/upload/new",
                { method: "POST", headers: accept });
            var told = await minted.json();
            var poll = async function () {
                while (running) {
                    try {
                        show(view, await (await fetch(told.status_url)).json());
                    } catch (ignored) {
                        /* The next one may get through. */
                    }
                    await new Promise(function (next) {
                        setTimeout(next, 250);
                    });
                }
            };
            poll();
            var response = await fetch(told.upload_url,
                { method: "POST", body: data, headers: accept });
            var answer = await response.json();
            running = false;
            if (response.ok) {
                finish(view, file, answer);
            } else {
                fail(view, response.status + ": " + (answer.error || ""));
            }
        } catch (error) {
            running = false;
            fail(view, String(error));
        }
    }

    function chosen() {
        var names = Array.from(input.files, function (f) { return f.name; });
        choice.textContent = names.length
            ? names.join(", ") : "Choose files, or drop them here";
    }

    input.addEventListener("change", chosen);
    ["dragover", "dragleave", "drop"].forEach(function (kind) {
        drop.addEventListener(kind, function (event) {
            event.preventDefault();
            drop.classList.toggle("over", kind === "dragover");
            if (kind === "drop") {
                input.files = event.dataTransfer.files;
                chosen();
            }
        });
    });
    form.addEventListener("submit", function (event) {
        var files = Array.from(input.files);
        var title = form.elements.title.value;
        event.preventDefault();
        files.forEach(function (file) { upload(file, title); });
        form.reset();
        chosen();
    });
}());
