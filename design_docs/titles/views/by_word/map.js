// A row for each word that the document's title begins or goes on with: [type, the title from that word on], and again
// [type@customer, …] for what belongs to a customer. The value is [title, what tells it from others of that name].
function (doc) {
  var WORDS = 6;
  var LENGTH = 60;

  function text(value) {
    // Of a reference into the catalog, model:CAT-320, people say what follows.
    return typeof value === 'string' ? value.replace(/^(model|part|bulletin):/, '') : typeof value === 'number' ? String(value) : '';
  }

  function joined(parts, between) {
    var kept = [];
    for (var i = 0; i < parts.length; i++) {
      if (text(parts[i])) { kept.push(text(parts[i])); }
    }
    return kept.join(between);
  }

  function titleOf() {
    if (doc.type === 'machine') { return joined([doc.make, doc.model, doc.serial], ' '); }
    if (doc.type === 'model') { return joined([doc.make, doc.name], ' '); }
    if (doc.type === 'part') { return joined([doc.number, doc.name], ' '); }
    if (doc.type === 'bulletin') { return joined([doc.code, doc.title], ' '); }
    return text(doc.name) || text(doc.title);
  }

  function noteOf() {
    if (doc.type === 'customer') { return joined([doc.number, doc.city], ', '); }
    if (doc.type === 'person') { return text(doc.job); }
    if (doc.type === 'machine') { return joined([doc.fleet_number, doc.stock_number], ', '); }
    if (doc.type === 'model') { return text(doc.kind); }
    if (doc.type === 'opportunity') { return text(doc.stage); }
    return '';
  }

  if (typeof doc.type !== 'string' || !doc.type || doc.type === 'change') { return; }
  var title = titleOf();
  if (!title) { return; }
  var value = [title, noteOf()];
  var searched = title;
  if (doc.type === 'machine') { searched = joined([title, doc.fleet_number], ' '); }
  var rest = searched.toLowerCase();
  var seen = {};
  for (var n = 0; n < WORDS && rest; n++) {
    var key = rest.slice(0, LENGTH);
    if (!seen['=' + key]) {
      seen['=' + key] = true;
      emit([doc.type, key], value);
      if (text(doc.customer)) { emit([doc.type + '@' + doc.customer, key], value); }
    }
    var space = rest.search(/[\s\/,(]/);
    if (space < 0) { break; }
    rest = rest.slice(space + 1).replace(/^[^0-9a-z\u00c0-\uffff]+/, '');
  }
}
