// Each id that a document names, in a field or in a cell of its rows: [id, type of the document].
function (doc) {
  var ID = /^(?:[A-Z][A-Z0-9]{0,15}:[a-z_]+:|(?:model|part|bulletin):).+$/;
  var seen = {};

  function look(value) {
    if (typeof value === 'string' && value.length < 300 && ID.test(value) && !seen['=' + value]) {
      seen['=' + value] = true;
      emit([value, doc.type], null);
    }
  }

  if (typeof doc.type !== 'string' || doc.type === 'change') { return; }
  for (var name in doc) {
    // The store's own fields, and the values that lost in a dispute.
    if (name.charAt(0) === '_' || name === 'disputes') { continue; }
    var value = doc[name];
    if (Array.isArray(value)) {
      for (var i = 0; i < value.length; i++) {
        var row = value[i];
        if (row && typeof row === 'object') {
          for (var cell in row) { look(row[cell]); }
        } else {
          look(row);
        }
      }
    } else {
      look(value);
    }
  }
}
