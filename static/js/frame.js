"use strict";
/* What every page does: the search shortcut, closing what was opened, focus, errors of parts of a page. */
(function () {
  function announce(sentence) {
    var place = document.getElementById("announcement");
    if (place) { place.textContent = sentence; }
  }

  function isTyping(target) {
    return target.closest("input, textarea, select, [contenteditable]") !== null;
  }

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open], details.user-menu[open]").forEach(function (open) {
        var inside = open.contains(document.activeElement);
        open.open = false;
        if (inside) { open.querySelector("summary").focus(); }
      });
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) { return; }
    var field = document.querySelector('[data-shortcut="' + (event.key === "/" ? "/" : "none") + '"]');
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
  });

  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.menu[open], details.user-menu[open]").forEach(function (open) {
      if (!open.contains(event.target)) { open.open = false; }
    });
    if (event.target.closest("[data-print]")) { window.print(); }
    var copy = event.target.closest("[data-copy]");
    if (copy) {
      window.navigator.clipboard.writeText(copy.closest(".once").querySelector(".code").textContent.trim()).then(
        function () { announce("Copied."); },
        function () { announce("This browser does not let it be copied. Mark the text and copy it by hand."); });
    }
  });

  document.addEventListener("submit", function (event) {
    var question = event.target.getAttribute("data-confirm");
    if (question && !window.confirm(question)) { event.preventDefault(); }
  });

  /* Browsers let nothing be copied on a page that came without TLS from another computer. */
  if (window.navigator.clipboard) {
    document.querySelectorAll("[data-copy]").forEach(function (button) { button.hidden = false; });
  }

  function focusFirst(root) {
    var wanted = root.querySelector("[data-focus]");
    if (wanted) { wanted.focus(); }
  }
  focusFirst(document);

  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id !== "sync-status") { focusFirst(event.detail.target); }
  });

  function showStatus(text, sentence) {
    var words = document.querySelector("#sync-status .status-words");
    var status = document.querySelector("#sync-status .status");
    if (!words || !status) { return; }
    status.className = "status status-bad";
    words.textContent = text;
    status.title = sentence;
  }

  /* A session that has ended leads to the sign-in page, but not away from what somebody is typing: whoever signs in
     in another tab goes on here, with the token of the new session, which comes with the next sync status. */
  document.addEventListener("htmx:beforeOnLoad", function (event) {
    var request = event.detail.xhr;
    if (request.status === 401 && request.getResponseHeader("HX-Redirect") && document.querySelector("form[data-unsaved]")) {
      event.preventDefault();
      document.body.setAttribute("data-signed-out", "");
      showStatus("Signed out", "You were signed out. Sign in in another tab; what is typed here stays.");
      var link = document.querySelector("#sync-status .status");
      if (link) { link.href = "/sign-in"; link.target = "_blank"; }
      announce("You were signed out. Sign in in another tab; what is typed here stays.");
    }
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    var asked = event.detail.elt.id === "sync-status" && event.detail.xhr;
    learnToken(asked && asked.getResponseHeader("X-CSRF-Token"));
  });
  document.addEventListener("ironbook:token", function (event) { learnToken(event.detail); });
  function learnToken(token) {
    if (!token) { return; }
    document.body.removeAttribute("data-signed-out");
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    document.querySelectorAll('input[name="csrf_token"]').forEach(function (field) { field.value = token; });
  }

  /* Who comes back to the middle of a page finds there what the page has to say at its top. */
  var said = document.querySelector("main > .flashes");
  var place = window.location.hash && document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
  if (said && place && place.parentNode) {
    place.parentNode.insertBefore(said, place);
    said.scrollIntoView();
  }

  /* The sync status asks again and again: when nobody answers, it says so instead of staying as it was. */
  document.addEventListener("htmx:sendError", function (event) {
    if (event.detail.elt.id === "sync-status") {
      showStatus("No answer", "Ironbook does not answer. Is it still running on this computer?");
      return;
    }
    announce("Ironbook does not answer. Is it still running? Nothing was saved.");
    window.alert("Ironbook does not answer. Is it still running? Nothing was saved; what you typed is still here.");
  });
})();
