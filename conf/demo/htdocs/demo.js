/* SPDX-License-Identifier: Apache-2.0
 * Copyright the mod_upload_pool authors */
/* The demo's page. upload-pool.js sends; this shows, and lets two files at a
 * time go. Without this script /upload has a form that works as it is. */
(function () {
    "use strict";

    const AT_ONCE = 2;
    const PREVIEW_BYTES = 24 * 1024 * 1024;
    const pool = window.UploadPool;
    const rows = [];
    const get = (id) => document.getElementById(id);
    const form = get("form");
    const input = get("file");
    const drop = get("drop");
    const list = get("uploads");

    get("curl").textContent = "curl -F title=Hello -F file=@README " +
        location.origin + "/upload";

    /* --- Words ----------------------------------------------------------- */

    function bytes(count) {
        const units = ["B", "KiB", "MiB", "GiB"];
        let n = 0;
        while (count >= 1024 && n < units.length - 1) {
            count /= 1024;
            n += 1;
        }
        return (n ? count.toFixed(count < 100 ? 1 : 0) : count) + " " +
            units[n];
    }

    function time(seconds) {
        if (seconds === null || !isFinite(seconds)) {
            return "";
        }
        if (seconds < 60) {
            return Math.max(1, Math.ceil(seconds)) + " s left";
        }
        if (seconds < 3600) {
            return Math.ceil(seconds / 60) + " min left";
        }
        return (seconds / 3600).toFixed(1) + " h left";
    }

    function joined(parts) {
        return parts.filter(Boolean).join(" · ");
    }

    function describe(row) {
        const p = row.progress;
        const done = bytes(p.loaded) + " of " + bytes(row.file.size);
        switch (row.state) {
        case "queued":
            return bytes(row.file.size) + " · waits for its turn";
        case "starting":
            return bytes(row.file.size) + " · starting";
        case "uploading":
            return joined([done, p.rate ? bytes(Math.round(p.rate)) + "/s" : "",
                           time(p.left),
                           p.resumed ? "went on at " + bytes(p.resumed) : ""]);
        case "paused":
            return joined([p.loaded ? done : bytes(row.file.size), "paused",
                           row.protocol === "form" && p.loaded
                               ? "a plain form begins anew" : ""]);
        case "waiting":
            return joined([done, p.error, "trying again"]);
        case "finishing":
            return joined([bytes(row.file.size), "the application has it"]);
        case "done":
            return joined([bytes(row.file.size), "done",
                           p.resumed ? "went on at " + bytes(p.resumed) : ""]);
        default:
            return p.error || "failed";
        }
    }

    function say(text) {
        get("news").textContent = text;
    }

    /* --- Previews -------------------------------------------------------- */

    function showImage(file, thumb) {
        const image = new Image();
        const url = URL.createObjectURL(file);
        const over = function () { URL.revokeObjectURL(url); };
        image.alt = "";
        image.onload = function () {
            thumb.replaceChildren(image);
            over();
        };
        image.onerror = over;
        image.src = url;
    }

    async function showText(file, thumb) {
        const pre = document.createElement("pre");
        pre.textContent = await file.slice(0, 600).text();
        thumb.replaceChildren(pre);
    }

    function preview(file, thumb) {
        const suffix = /\.([A-Za-z0-9]{1,4})$/.exec(file.name);
        thumb.textContent = suffix ? suffix[1].toUpperCase() : "FILE";
        if (/^image\//.test(file.type) && file.size < PREVIEW_BYTES) {
            showImage(file, thumb);
        } else if (/^text\/|json|xml/.test(file.type)) {
            showText(file, thumb).catch(function () { return null; });
        }
    }

    /* --- One row --------------------------------------------------------- */

    function build(row) {
        const item = get("row").content.firstElementChild.cloneNode(true);
        const part = (name) => item.querySelector("." + name);
        const button = function (name, label, act) {
            const b = part(name);
            b.setAttribute("aria-label", label + " " + row.path);
            b.title = label;
            b.addEventListener("click", act);
            return b;
        };
        row.item = item;
        row.name = part("name");
        row.text = part("state");
        row.bar = item.querySelector("progress");
        row.buttons = part("buttons");
        row.name.textContent = row.path;
        row.name.title = row.path;
        row.bar.setAttribute("aria-label", row.path);
        row.pause = button("pause", "Pause", () => pause(row));
        row.resume = button("resume", "Resume", () => resume(row));
        row.retry = button("retry", "Try again", () => retry(row));
        row.cancel = button("cancel", "Cancel", () => remove(row));
        preview(row.file, part("thumb"));
        list.prepend(item);
    }

    function is(row) {
        return Array.from(arguments).slice(1).includes(row.state);
    }

    /* A button that goes must not take the focus with it. */
    function swap(shown) {
        const focused = document.activeElement;
        shown.forEach(function (pair) {
            pair[0].hidden = !pair[1];
        });
        if (focused && focused.hidden) {
            const next = shown.find((pair) => pair[1]);
            (next ? next[0] : input).focus();
        }
    }

    function draw(row) {
        const ends = is(row, "done", "error");
        row.item.className = "upload " + row.state;
        row.text.textContent = describe(row);
        row.bar.value = row.state === "done" ? 1
            : row.file.size ? row.progress.loaded / row.file.size : 0;
        /* What would be refused again is not sent again; what the application
         * has cannot be paused. */
        swap([[row.pause, is(row, "queued", "starting", "uploading")],
              [row.resume, is(row, "paused", "waiting")],
              [row.retry, row.state === "error" && !row.refused],
              [row.cancel, !ends || row.state === "error"]]);
        row.cancel.title = row.state === "error" ? "Remove" : "Cancel";
        row.cancel.setAttribute("aria-label",
            row.cancel.title + " " + row.path);
        later();
    }

    function finish(row, answer) {
        const details = document.createElement("details");
        const summary = document.createElement("summary");
        const pre = document.createElement("pre");
        const link = document.createElement("a");
        link.className = "button get";
        link.href = row.url + "/file?X-Progress-ID=" +
            encodeURIComponent(answer.identifier);
        link.textContent = "Download";
        link.setAttribute("aria-label", "Download " + row.path);
        if (document.activeElement === row.pause) {
            link.dataset.focus = "yes";
        }
        row.buttons.append(link);
        summary.textContent = "What the application received";
        pre.textContent = answer.body
            ? JSON.stringify(answer.body, null, 2) : answer.text;
        pre.tabIndex = 0;
        pre.setAttribute("aria-label", "JSON for " + row.path);
        details.append(summary, pre);
        details.open = rows.length === 1;
        row.item.append(details);
        if (link.dataset.focus) {
            link.focus();
        }
    }

    function heard(row, progress) {
        const before = row.state;
        row.progress = progress;
        /* done and error come with their answer. */
        if (progress.state !== "done" && progress.state !== "error" &&
            progress.state !== "cancelled") {
            row.state = progress.state;
        }
        draw(row);
        if (row.state === "waiting" && before !== "waiting") {
            say(row.path + ": the connection was lost, trying again.");
        }
    }

    /* --- What may be done with it ---------------------------------------- */

    async function start(row) {
        row.state = "starting";
        row.job = pool.upload(row.file, {
            url: row.url, protocol: row.protocol, check: row.check,
            name: row.path,
            fields: { title: row.title },
            identifier: () => pool.mint(row.url),
            onprogress: (progress) => heard(row, progress)
        });
        try {
            const answer = await row.job.done;
            row.state = "done";
            finish(row, answer);
            draw(row);
            say(row.path + " is done.");
        } catch (error) {
            if (error.kind !== "cancelled") {
                row.state = "error";
                row.progress.error = error.message;
                draw(row);
                say(row.path + " failed: " + error.message);
            }
        }
        notes();
        next();
    }

    function next() {
        let busy = rows.filter((row) => is(row, "starting", "uploading",
                                           "waiting", "finishing")).length;
        rows.forEach(function (row) {
            if (row.state === "queued" && busy < AT_ONCE) {
                busy += 1;
                start(row);
            }
        });
        later();
    }

    function pause(row) {
        if (row.state === "queued") {
            row.state = "paused";
            draw(row);
        } else if (row.job) {
            row.job.pause();
        }
        next();
    }

    function resume(row) {
        if (!row.job) {
            row.state = "queued";
            draw(row);
            next();
        } else {
            row.job.resume();
        }
    }

    function retry(row) {
        row.job = null;
        row.state = "queued";
        row.progress = blank();
        draw(row);
        next();
    }

    function dropRow(row) {
        const n = rows.indexOf(row);
        const had = row.item.contains(document.activeElement);
        const near = row.item.nextElementSibling ||
            row.item.previousElementSibling;
        rows.splice(n, 1);
        row.item.remove();
        if (had) {
            const button = near &&
                near.querySelector("button:not([hidden]), a.button");
            (button || input).focus();
        }
        later();
    }

    function remove(row) {
        const job = row.job;
        const over = row.state === "error";
        row.state = "cancelled";
        dropRow(row);
        if (!over) {
            say(row.path + " is cancelled.");
        }
        if (job && !over) {
            job.cancel().then(notes);
        }
        next();
    }

    function blank() {
        return { loaded: 0, rate: 0, left: null, resumed: 0, error: null };
    }

    /* A file of a folder has a path. */
    function add(files) {
        const chosen = Array.from(files);
        chosen.forEach(function (file) {
            const row = {
                file, job: null, state: "queued", progress: blank(),
                path: file.path || file.webkitRelativePath || file.name,
                protocol: form.elements.protocol.value,
                url: form.elements.application.value,
                title: get("title").value, check: get("check").checked
            };
            row.refused = pool.objection(file, limits[row.url] || {},
                { protocol: row.protocol, name: row.path });
            if (row.refused) {
                row.state = "error";
                row.progress.error = row.refused;
            }
            rows.push(row);
            build(row);
            draw(row);
        });
        const refused = rows.slice(-chosen.length)
            .filter((row) => row.refused);
        if (chosen.length) {
            say(refused.length ? refused[0].path + " is not sent: " +
                    refused[0].refused + "."
                : chosen.length === 1 ? chosen[0].name + " is added."
                : chosen.length + " files are added.");
        }
        next();
        notes();
    }

    /* --- What the server takes -------------------------------------------- */

    const limits = {};

    /* By the words of the configuration, and by what the protocol can do. */
    function promise() {
        const told = limits[form.elements.application.value] || {};
        const most = Math.min(told["max-file-size"] || Infinity,
                              told["max-size"] || Infinity);
        get("most").textContent = joined([
            isFinite(most) ? "Up to " + bytes(most).replace(".0 ", " ") +
                " each" : "",
            told.allow ? "only " + told.allow.join(", ") : "",
            told.deny ? "no " + told.deny.join(", ") : ""]);
        get("promise").textContent = form.elements.protocol.value === "form"
            ? "A plain form that is cut off begins anew."
            : "A closed lid or a lost network is only a pause. After a " +
              "reload choose the same file again, and only the rest is sent.";
    }

    async function ask(url) {
        try {
            limits[url] = await pool.limits(url);
        } catch (ignored) {
            limits[url] = {}; /* then it is the server that refuses */
        }
        promise();
    }

    /* --- Folders that are dropped ------------------------------------------ */

    function entriesOf(reader) {
        return new Promise((resolve, reject) =>
            reader.readEntries(resolve, reject));
    }

    /* Every file below it, with its path; a reader brings some at a time, until
     * it brings none. */
    async function walk(entry, found) {
        if (entry.isFile) {
            const file = await new Promise((resolve, reject) =>
                entry.file(resolve, reject));
            file.path = entry.fullPath.replace(/^\//, "");
            found.push(file);
            return found;
        }
        const reader = entry.createReader();
        let some = await entriesOf(reader);
        while (some.length) {
            for (const inner of some) {
                await walk(inner, found);
            }
            some = await entriesOf(reader);
        }
        return found;
    }

    /* The entries have to be taken before the event is over. */
    async function takeDrop(transfer) {
        const entries = Array.from(transfer.items || [])
            .map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry())
            .filter(Boolean);
        if (!entries.some((entry) => entry.isDirectory)) {
            add(transfer.files);
            return;
        }
        const found = [];
        try {
            for (const entry of entries) {
                await walk(entry, found);
            }
        } catch (error) {
            say("The folder could not be read: " + error.message);
        }
        add(found);
    }

    /* --- All together ---------------------------------------------------- */

    let drawn = 0;

    function total() {
        const all = rows.reduce((n, row) => n + row.file.size, 0);
        const loaded = rows.reduce((n, row) => n + (row.state === "done"
            ? row.file.size : row.progress.loaded), 0);
        const going = rows.filter((row) => row.state === "uploading");
        const rate = going.reduce((n, row) => n + row.progress.rate, 0);
        const done = rows.filter((row) => row.state === "done").length;
        const bad = rows.filter((row) => row.state === "error").length;
        const left = rate ? (all - loaded) / rate : null;
        drawn = 0;
        get("total").hidden = rows.length === 0;
        get("total-bar").value = all ? loaded / all : rows.length ? 1 : 0;
        get("sum").textContent = joined([
            done + " of " + rows.length + " done", bad ? bad + " failed" : "",
            bytes(loaded) + " of " + bytes(all),
            rate ? bytes(Math.round(rate)) + "/s" : "",
            going.length ? time(left) : ""]);
        /* A button that would do nothing is not there. */
        const any = (act) => rows.some((row) => is(row, ...act));
        swap([[get("pause-all"), any(["queued", "starting", "uploading",
                                      "waiting"])],
              [get("resume-all"), any(["paused", "waiting"])],
              [get("cancel-all"), rows.some((row) => !is(row, "done",
                                                         "error"))],
              [get("tidy"), any(["done", "error"])]]);
    }

    /* However many rows change, once a frame is enough; a hidden page has no
     * frames, but its title is read. */
    function later() {
        if (!drawn) {
            drawn = setTimeout(total, 50);
        }
    }

    /* --- What an earlier visit has left ---------------------------------- */

    function note(entry) {
        const item = document.createElement("li");
        const name = document.createElement("span");
        const state = document.createElement("span");
        const button = document.createElement("button");
        name.className = "name";
        name.textContent = entry.name;
        state.className = "state";
        state.textContent = (entry.size
            ? Math.floor(100 * entry.offset / entry.size) : 0) + " % of " +
            bytes(entry.size);
        button.type = "button";
        button.textContent = "Forget";
        button.setAttribute("aria-label", "Forget " + entry.name);
        button.addEventListener("click", async function () {
            await pool.forget(entry);
            notes();
            input.focus();
        });
        item.append(name, state, button);
        return item;
    }

    function notes() {
        const found = pool.pending();
        get("notes").replaceChildren(...found.map(note));
        get("earlier").hidden = found.length === 0;
    }

    /* --- Events ---------------------------------------------------------- */

    [input, get("folder"), get("camera")].forEach(function (source) {
        source.addEventListener("change", function () {
            add(source.files);
            source.value = "";
        });
    });
    form.addEventListener("change", promise);
    document.addEventListener("paste", function (event) {
        const files = event.clipboardData ? event.clipboardData.files : [];
        if (files.length) {
            event.preventDefault();
            add(files);
        }
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    ["dragenter", "dragover", "dragleave", "drop"].forEach(function (kind) {
        /* A file that misses the area must not replace the page. */
        document.addEventListener(kind, function (event) {
            event.preventDefault();
            drop.classList.toggle("over", kind === "dragenter" ||
                kind === "dragover");
            if (kind === "drop" && event.dataTransfer) {
                takeDrop(event.dataTransfer);
            }
        });
    });
    get("pause-all").addEventListener("click", function () {
        /* First those that wait, or they would take the others' place. */
        rows.filter((row) => row.state === "queued").forEach(pause);
        rows.forEach(pause);
    });
    get("resume-all").addEventListener("click", function () {
        rows.filter((row) => is(row, "paused", "waiting")).forEach(resume);
    });
    get("cancel-all").addEventListener("click", function () {
        rows.filter((row) => !is(row, "done", "error")).slice().reverse()
            .forEach(remove);
    });
    get("tidy").addEventListener("click", function () {
        rows.filter((row) => is(row, "done", "error")).forEach(dropRow);
        input.focus();
    });
    window.addEventListener("beforeunload", function (event) {
        if (rows.some((row) => row.protocol === "form" &&
                      is(row, "uploading", "finishing"))) {
            event.preventDefault();
        }
    });
    notes();
    total();
    promise();
    Array.from(form.elements.application).forEach((choice) =>
        ask(choice.value));
}());
