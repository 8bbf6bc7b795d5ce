"use strict";
/* Forms: references chosen by typing, rows added and removed, a warning before what was typed is left behind. */
(function () {
  var WAIT = 150;

  /* --- references --------------------------------------------------------------------------------------------- */

  function Reference(root) {
    this.root = root;
    this.input = root.querySelector('input[role="combobox"]');
    this.hidden = root.querySelector('input[type="hidden"]');
    this.list = root.querySelector('[role="listbox"]');
    this.chosenTitle = this.input.value;
    this.timer = null;
    this.asked = 0;
    this.at = -1;
    this.input.addEventListener("input", this.typed.bind(this));
    this.input.addEventListener("keydown", this.key.bind(this));
    this.input.addEventListener("blur", this.close.bind(this));
    this.list.addEventListener("mousedown", function (event) { event.preventDefault(); });
    this.list.addEventListener("click", this.clicked.bind(this));
  }

  Reference.prototype.typed = function () {
    /* What is typed is not what was chosen any more; the server looks it up if it is left like this. */
    if (this.input.value !== this.chosenTitle) { this.hidden.value = ""; }
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(this.ask.bind(this), WAIT);
  };

  Reference.prototype.ask = function () {
    var asked = ++this.asked;
    var text = this.input.value.trim();
    if (!text) { this.close(); return; }
    var url = new URL(this.root.dataset.url, window.location.href);
    url.searchParams.set("q", text);
    if (this.root.dataset.context) { url.searchParams.set("context", this.root.dataset.context); }
    var self = this;
    fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).then(function (answer) {
      return answer.ok ? answer.text() : "";
    }).then(function (html) {
      if (asked !== self.asked || document.activeElement !== self.input) { return; }
      self.list.innerHTML = html;
      self.list.querySelectorAll('[role="option"]').forEach(function (option, n) {
        option.id = self.list.id + "-" + n;
      });
      self.at = -1;
      self.list.hidden = !html.trim();
      self.input.setAttribute("aria-expanded", String(!self.list.hidden));
      self.input.removeAttribute("aria-activedescendant");
    }).catch(function () { self.close(); });
  };

  Reference.prototype.options = function () {
    return Array.from(this.list.querySelectorAll('[role="option"]'));
  };

  Reference.prototype.move = function (to) {
    var options = this.options();
    if (!options.length) { return; }
    this.at = (to + options.length) % options.length;
    options.forEach(function (option, n) { option.setAttribute("aria-selected", String(n === this.at)); }, this);
    this.input.setAttribute("aria-activedescendant", options[this.at].id);
    options[this.at].scrollIntoView({ block: "nearest" });
  };

  Reference.prototype.key = function (event) {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      if (this.list.hidden) { this.ask(); } else { this.move(this.at + 1); }
    } else if (event.key === "ArrowUp" && !this.list.hidden) {
      event.preventDefault();
      this.move(this.at - 1);
    } else if (event.key === "Enter" && !this.list.hidden && this.at >= 0) {
      event.preventDefault();
      this.choose(this.options()[this.at]);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  };

  Reference.prototype.clicked = function (event) {
    var option = event.target.closest('[role="option"]');
    if (option) { this.choose(option); }
  };

  Reference.prototype.choose = function (option) {
    this.hidden.value = option.dataset.value;
    this.input.value = option.dataset.title;
    this.chosenTitle = option.dataset.title;
    this.hidden.dispatchEvent(new Event("change", { bubbles: true }));
    this.close();
  };

  Reference.prototype.close = function () {
    this.asked += 1;
    this.list.hidden = true;
    this.at = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  };

  /* --- rows ----------------------------------------------------------------------------------------------------- */

  function newKey() {
    return "new" + Array.from(window.crypto.getRandomValues(new Uint8Array(6))).map(function (octet) {
      return octet.toString(16).padStart(2, "0");
    }).join("");
  }

  function addRow(button) {
    var rows = button.closest("[data-rows]");
    var template = rows.querySelector("template");
    var holder = document.createElement("tbody");
    holder.innerHTML = template.innerHTML.replaceAll("{key}", newKey());
    var row = holder.firstElementChild;
    rows.querySelector("tbody").appendChild(row);
    prepare(row);
    var field = row.querySelector('input:not([type="hidden"]), select, textarea');
    if (field) { field.focus(); }
    changed(rows);
  }

  function removeRow(button) {
    var row = button.closest("tr");
    var rows = row.closest("[data-rows]");
    var next = row.nextElementSibling || row.previousElementSibling;
    row.remove();
    var field = next ? next.querySelector('input:not([type="hidden"]), select') : rows.querySelector("[data-row-add]");
    if (field) { field.focus(); }
    changed(rows);
  }

  function moveRow(button) {
    var row = button.closest("tr");
    var up = button.dataset.rowMove === "up";
    var other = up ? row.previousElementSibling : row.nextElementSibling;
    if (other) { row.parentNode.insertBefore(up ? row : other, up ? other : row); }
    /* At the first or last place the button pressed is hidden, and the focus goes to the one beside it. */
    var hidden = up ? !row.previousElementSibling : !row.nextElementSibling;
    var next = hidden ? row.querySelector('[data-row-move="' + (up ? "down" : "up") + '"]') : button;
    next.focus();
    changed(row);
  }

  document.addEventListener("click", function (event) {
    var add = event.target.closest("[data-row-add]");
    var remove = event.target.closest("[data-row-remove]");
    var move = event.target.closest("[data-row-move]");
    if (move) { event.preventDefault(); moveRow(move); }
    if (add) { event.preventDefault(); addRow(add); }
    if (remove) { event.preventDefault(); removeRow(remove); }
  });

  /* --- fields that show only under a condition --------------------------------------------------------------------- */

  function valueOf(form, name) {
    var box = form.querySelector('input[type="checkbox"][name="' + name + '"]');
    if (box) { return box.checked ? "yes" : ""; }
    var field = form.querySelector('[name="' + name + '"]');
    return field ? field.value : "";
  }

  function showConditional(form) {
    form.querySelectorAll("[data-shown-when]").forEach(function (field) {
      var condition = JSON.parse(field.dataset.shownWhen);
      field.hidden = condition.values.indexOf(valueOf(form, condition.field)) === -1;
    });
  }

  /* --- leaving -------------------------------------------------------------------------------------------------------- */

  var UNSAVED = "form[data-guard][data-unsaved]";
  function changed(element) {
    var form = element.closest("form");
    if (form && form.hasAttribute("data-guard")) { form.setAttribute("data-unsaved", ""); }
    if (form) { showConditional(form); }
  }
  document.addEventListener("input", function (event) { changed(event.target); });
  document.addEventListener("change", function (event) { changed(event.target); });
  /* Only what this form holds is on its way: another one on the page may still hold something. */
  document.addEventListener("submit", function (event) {
    if (document.body.hasAttribute("data-signed-out") && event.target.matches(UNSAVED + "[hx-post]")) {
      event.preventDefault();
      event.stopPropagation();
      window.alert("You were signed out. Sign in in another tab, then save again; what you typed is still here.");
      return;
    }
    event.target.removeAttribute("data-unsaved");
  }, true);

  /* What could not be saved stays in its form, and the answer that says why stands above it. */
  function guarded(event) {
    var asking = event.detail.requestConfig && event.detail.requestConfig.elt;
    return asking && asking.matches("form[data-guard]") ? asking : null;
  }
  function stays(form) {
    form.setAttribute("data-unsaved", "");
    form.querySelectorAll("[data-refusal]").forEach(function (old) { old.remove(); });
  }
  function refusal(form) {
    stays(form);
    var place = document.createElement("div");
    place.setAttribute("data-refusal", "");
    place.setAttribute("role", "alert");
    form.insertBefore(place, form.firstChild);
    return place;
  }
  function say(form, sentence, link) {
    var place = refusal(form);
    place.className = "notice notice-bad";
    var words = document.createElement("div");
    words.textContent = sentence + " ";
    if (link) {
      var sign = document.createElement("a");
      sign.href = link;
      sign.target = "_blank";
      sign.textContent = "Sign in";
      words.appendChild(sign);
    }
    place.appendChild(words);
    place.scrollIntoView({ block: "center" });
  }

  /* A form that opens a new page takes what was typed with it, and no browser gives it back from an error page. So the
     node is asked first whether it is there and whether somebody is signed in; only then is the form sent. */
  var answered = null;
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || !form.matches("form[data-guard]") || form.hasAttribute("hx-post")) { return; }
    if (!form.requestSubmit) { return; }
    if (answered === form) { answered = null; return; }
    event.preventDefault();
    if (form.getAttribute("aria-busy") === "true") { return; }
    form.setAttribute("aria-busy", "true");
    var button = event.submitter;
    fetch("/status", { headers: { "HX-Request": "true" }, credentials: "same-origin" }).then(function (answer) {
      form.removeAttribute("aria-busy");
      if (answer.status === 401) {
        say(form, "You are not signed in any more, so nothing was saved. Sign in in another tab, then save again: what you " +
          "typed is still here.", "/sign-in");
        return;
      }
      document.dispatchEvent(new CustomEvent("ironbook:token", { detail: answer.headers.get("X-CSRF-Token") }));
      answered = form;
      form.requestSubmit(button && form.contains(button) ? button : undefined);
    }).catch(function () {
      form.removeAttribute("aria-busy");
      say(form, "Ironbook does not answer. Is it still running? Nothing was saved; what you typed is still here.");
    });
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var form = guarded(event);
    if (!form || event.detail.xhr.status < 400 || event.detail.xhr.status === 422) { return; }
    event.detail.shouldSwap = false;
    var place = refusal(form);
    place.innerHTML = event.detail.serverResponse || "This could not be saved. What you typed is still here; try again.";
    place.scrollIntoView({ block: "center" });
  });
  document.addEventListener("htmx:sendError", function (event) {
    var form = guarded(event);
    if (form) { stays(form); }
  });
  window.addEventListener("beforeunload", function (event) {
    if (document.querySelector(UNSAVED)) { event.preventDefault(); }
  });

  /* A second form that opens in the same place would take the first one's words with it. */
  document.addEventListener("htmx:beforeRequest", function (event) {
    var asking = event.detail.elt;
    var form = event.detail.target && event.detail.target.querySelector(UNSAVED);
    if (form && !form.contains(asking) && !window.confirm("Something is typed into this form and not saved. Leave it?")) {
      event.preventDefault();
    }
  });

  /* Ctrl+S or Cmd+S saves the form one is in. */
  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      var form = event.target.closest("form[data-guard]") || document.querySelector("form[data-guard]");
      if (form) { event.preventDefault(); form.requestSubmit(); }
    }
  });

  function prepare(root) {
    root.querySelectorAll("[data-reference]").forEach(function (reference) {
      if (!reference.dataset.prepared) { reference.dataset.prepared = "yes"; new Reference(reference); }
    });
    root.querySelectorAll("form").forEach(showConditional);
  }

  /* --- forms that open in a page ------------------------------------------------------------------------------------ */

  var opener = null;
  document.addEventListener("htmx:beforeRequest", function (event) {
    var target = event.detail.target;
    if (event.defaultPrevented || !target) { return; }
    if (target.id.indexOf("add-") === 0 && !target.contains(event.detail.elt)) { opener = event.detail.elt; }
  });
  document.addEventListener("htmx:load", function (event) {
    var place = event.detail.elt;
    if (!place.matches || !place.matches('[id^="add-"], .section')) { return; }
    if (place.matches(".adding")) {
      var field = place.querySelector("[data-focus]") ||
        place.querySelector('input:not([type="hidden"]), select, textarea');
      if (field) { field.focus(); }
    } else if (document.activeElement === document.body) {
      /* It closed: go on from where it was opened, or from its place when that was drawn anew. */
      var same = opener && 'a[href="' + (opener.getAttribute("href") || "-") + '"]';
      var back = opener && (document.contains(opener) ? opener : place.querySelector(same) || document.querySelector(same));
      if (back) { back.focus(); } else { place.scrollIntoView({ block: "nearest" }); }
    }
  });
  document.addEventListener("keydown", function (event) {
    var place = event.key === "Escape" && event.target.closest(".adding");
    var cancel = place && !place.querySelector(UNSAVED) && place.querySelector(".form-actions a");
    if (cancel) { cancel.click(); }
  });

  /* A page that is a form begins in its first field, unless something is to be read before. */
  var beginning = document.querySelector("form[data-begin]");
  if (beginning && !document.querySelector("[data-focus]") && !window.location.hash) {
    var empty = Array.from(beginning.querySelectorAll(".fields input, .fields select, .fields textarea")).find(function (field) {
      return field.type !== "hidden" && !field.value && field.offsetParent !== null;
    });
    if (empty) { empty.focus({ preventScroll: true }); }
  }

  prepare(document);
  document.addEventListener("htmx:afterSwap", function (event) { prepare(event.detail.target.parentElement || document); });
})();
