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
  });

  document.addEventListener("submit", function (event) {
    var question = event.target.getAttribute("data-confirm");
    if (question && !window.confirm(question)) { event.preventDefault(); }
  });

  function focusFirst(root) {
    var wanted = root.querySelector("[data-focus]");
    if (wanted) { wanted.focus(); }
  }
  focusFirst(document);

  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id !== "sync-status") { focusFirst(event.detail.target); }
  });

  /* The sync status asks again and again: when nobody answers, it says so instead of staying as it was. */
  document.addEventListener("htmx:sendError", function (event) {
    var target = event.detail.elt;
    if (target.id === "sync-status") {
      var words = target.querySelector(".status-words");
      var status = target.querySelector(".status");
      if (words && status) {
        status.className = "status status-bad";
        words.textContent = "No answer";
        status.title = "Ironbook does not answer. Is it still running on this computer?";
      }
      return;
    }
    announce("Ironbook does not answer. Is it still running? Nothing was saved.");
    window.alert("Ironbook does not answer. Is it still running? Nothing was saved; what you typed is still here.");
  });
})();
