// What a design document's functions find in their context, and the doors the host calls them through.
// Everything crosses as text. The host keeps the object this expression gives; scripts never see it.
(function () {
  "use strict";
  var parse = JSON.parse;
  var stringify = JSON.stringify;
  var evaluate = eval;
  var isArray = Array.isArray;
  var seal = Object.freeze;
  var emitted = [];
  var logged = [];
  var failures = [];
  var failed = 0;
  var functions = [];
  var root = {};
  var modules = {};

  function text(value) {
    var made = stringify(value);
    return made === undefined ? "null" : made;
  }

  function describe(error) {
    if (error !== null && typeof error === "object" && !(error instanceof Error)) { return text(error); }
    return String(error);
  }

  function note(message) {
    if (logged.length < 100) { logged.push(String(message).slice(0, 1000)); }
  }

  function fail(message) {
    failed += 1;
    if (failures.length < 3) { failures.push(String(message).slice(0, 1000)); }
  }

  function expose(name, value) {
    Object.defineProperty(globalThis, name, { value: value, writable: true, configurable: true, enumerable: false });
  }

  expose("emit", function emit(key, value) { emitted.push(text(key), text(value)); });
  expose("log", function log(message) { note(typeof message === "string" ? message : text(message)); });
  expose("isArray", isArray);
  expose("toJSON", text);
  expose("sum", function sum(values) {
    var total = 0;
    for (var i = 0; i < values.length; i++) { total += values[i]; }
    return total;
  });
  expose("require", function require(path) { return load(path, []); });

  // CommonJS: a path names a string inside the design document; "./" and "../" are relative to the module that asks.
  function load(path, from) {
    var parts = String(path).split("/");
    var at = parts[0] === "." || parts[0] === ".." ? from.slice(0, -1) : [];
    parts.forEach(function (part) {
      if (part === "..") { at.pop(); } else if (part !== "." && part !== "") { at.push(part); }
    });
    var name = at.join("/");
    if (Object.prototype.hasOwnProperty.call(modules, name)) { return modules[name].exports; }
    var source = at.reduce(function (inside, part) {
      var known = inside !== null && typeof inside === "object" && Object.prototype.hasOwnProperty.call(inside, part);
      return known ? inside[part] : undefined;
    }, root);
    if (typeof source !== "string") { throw new Error("require: there is no module " + name); }
    var module = { id: name, exports: {} };
    modules[name] = module;
    try {
      evaluate("(function (module, exports, require) {" + source + "\n})")
        .call(module.exports, module, module.exports, function (other) { return load(other, at); });
    } catch (error) {
      delete modules[name];
      throw error;
    }
    return module.exports;
  }

  // Of an object or an array; asked of its members before calling, because most are neither.
  function freeze(value) {
    seal(value);
    for (var name in value) {
      var member = value[name];
      if (typeof member === "object" && member !== null) { freeze(member); }
    }
  }

  function mapOne(doc, line, lines) {
    for (var at = 0; at < functions.length; at++) {
      emitted = [];
      try {
        functions[at](doc);
      } catch (error) {
        fail("map function " + at + " skipped document " + doc._id + ": " + describe(error));
        continue;
      }
      for (var i = 0; i < emitted.length; i += 2) { lines.push(line + " " + at, emitted[i], emitted[i + 1]); }
    }
  }

  var doors = {
    // The part of the design document that require may read.
    setRoot: function (json) { root = parse(json); modules = {}; },

    // Adds a function; the answer is "" or why it is none.
    compile: function (source) {
      var made;
      try {
        made = evaluate("(" + source + "\n)");
      } catch (error) {
        return describe(error);
      }
      if (typeof made !== "function") { return "Expression does not eval to a function."; }
      functions.push(made);
      return "";
    },

    // What scripts logged, the first failures, and how many failed since this was last asked.
    takeLog: function () {
      var taken = stringify([logged, failures, failed]);
      logged = [];
      failures = [];
      failed = 0;
      return taken;
    },

    // Runs every function on every document. Three lines a row: which document and function, key, value. JSON text
    // has no line breaks of its own.
    map: function (json) {
      var docs = parse(json);
      var lines = [];
      for (var i = 0; i < docs.length; i++) {
        if (functions.length > 1) { freeze(docs[i]); }
        mapOne(docs[i], i, lines);
      }
      emitted = [];
      return lines.join("\n");
    },

    // Calls are [function, keys or null, values, rereduce]; the answer has a line each. Values come newest first, as
    // CouchDB hands them over. A reduction that throws is null.
    reduce: function (json) {
      return parse(json).map(function (call) {
        try {
          return text(functions[call[0]](call[1], call[2], call[3]));
        } catch (error) {
          fail("reduce function " + call[0] + " failed: " + describe(error));
          return "null";
        }
      }).join("\n");
    },

    // Function `at` as a filter: the answer is true or false for each document.
    filter: function (at, docs, request) {
      var asked = parse(request);
      return stringify(parse(docs).map(function (doc) { return !!functions[at].call(root, doc, asked); }));
    },

    // Function `at`, a map function, as a filter: whether it emits.
    emits: function (at, docs) {
      return stringify(parse(docs).map(function (doc) {
        emitted = [];
        try { functions[at](doc); } catch (error) { return false; }
        return emitted.length > 0;
      }));
    },

    // Function `at` asked about one text.
    test: function (at, about) { return String(functions[at](about)); },

    // Function `at` as validation of each [new, old]: null, or [kind, reason].
    validate: function (at, edits, user, security) {
      var context = parse(user);
      var rights = parse(security);
      return stringify(parse(edits).map(function (edit) {
        try {
          functions[at].call(root, edit[0], edit[1], context, rights);
          return null;
        } catch (error) {
          if (error !== null && typeof error === "object") {
            if (error.forbidden !== undefined) { return ["forbidden", error.forbidden]; }
            if (error.unauthorized !== undefined) { return ["unauthorized", error.unauthorized]; }
          }
          return ["error", describe(error)];
        }
      }));
    }
  };

  return function (door, first, second, third, fourth) { return doors[door](first, second, third, fourth); };
})()
