// The reasons are read by people: each is listed with the document it is about until somebody corrects it.
function (newDoc, oldDoc, userCtx) {
  var WORDS_OF_A_DELETION = ['type', 'dealer', 'share', 'deleted_by', 'deleted_at'];
  var CONSTANT = ['type', 'dealer', 'share'];
  var parts, i;

  function refuse(reason) {
    throw ({forbidden: reason});
  }
  function has(role) {
    return userCtx.roles.indexOf(role) !== -1;
  }
  function isText(value) {
    return typeof value === 'string' && value !== '';
  }
  function isTime(value) {
    return isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value);
  }
  function isList(value) {
    return Object.prototype.toString.call(value) === '[object Array]';
  }
  function isObject(value) {
    return Object.prototype.toString.call(value) === '[object Object]';
  }
  function isDispute(each) {
    return isObject(each) && isText(each.id) && isText(each.field) && each.value !== undefined &&
        (each.row === undefined || isText(each.row));
  }
  function areNumbers(revisions) {
    return Object.keys(revisions).every(function (name) {
      return typeof revisions[name] === 'number' && revisions[name] % 1 === 0;
    });
  }

  if (has('_admin')) {
    return;
  }
  if (newDoc._id.indexOf('_design/') === 0) {
    refuse('Only an administrator of this server may change its design documents.');
  }
  parts = newDoc._id.split(':');
  if (parts.length < 3 || !parts[0] || !parts[1] || !parts[2]) {
    refuse('A document of a book is named dealer:type:key; "' + newDoc._id + '" is not.');
  }
  // The replication user of dealer D001 has the role "dealer:D001", so a password opens one dealer's documents only.
  if (!has('dealer:' + parts[0])) {
    refuse('This connection may not write documents of dealer ' + parts[0] + '.');
  }
  if (newDoc._deleted) {
    for (i = 0; i < WORDS_OF_A_DELETION.length; i += 1) {
      if (!isText(newDoc[WORDS_OF_A_DELETION[i]])) {
        refuse('A deletion has to say ' + WORDS_OF_A_DELETION[i] + '.');
      }
    }
  } else {
    if (!isTime(newDoc.created_at) || !isTime(newDoc.updated_at)) {
      refuse('A document has to say when it was created and updated.');
    }
    if (typeof newDoc.created_by !== 'string' || typeof newDoc.updated_by !== 'string') {
      refuse('A document has to say who created and updated it.');
    }
    if (!isObject(newDoc.field_revs) || !areNumbers(newDoc.field_revs)) {
      refuse('A document has to say which revision changed which field, as a number each (field_revs).');
    }
    if (newDoc.disputes !== undefined && !(isList(newDoc.disputes) && newDoc.disputes.every(isDispute))) {
      refuse('What is to be decided about a document (disputes) is a list of what has an id, a field and a value.');
    }
    if (newDoc.resolved !== undefined && !(isList(newDoc.resolved) && newDoc.resolved.every(isText))) {
      refuse('What was decided about a document (resolved) is a list of ids.');
    }
  }
  if (newDoc.dealer !== parts[0]) {
    refuse('The document\'s dealer is "' + newDoc.dealer + '", but its name says ' + parts[0] + '.');
  }
  if (newDoc.type !== parts[1]) {
    refuse('The document\'s type is "' + newDoc.type + '", but its name says ' + parts[1] + '.');
  }
  if (newDoc.share !== 'manufacturer' && newDoc.share !== 'dealer') {
    refuse('A document\'s share is "manufacturer" or "dealer", not "' + newDoc.share + '".');
  }
  if (oldDoc) {
    for (i = 0; i < CONSTANT.length; i += 1) {
      // A revision without the field was a bare deletion, which says nothing to compare with.
      if (oldDoc[CONSTANT[i]] !== undefined && newDoc[CONSTANT[i]] !== oldDoc[CONSTANT[i]]) {
        refuse('A document\'s ' + CONSTANT[i] + ' never changes: it was "' + oldDoc[CONSTANT[i]] + '".');
      }
    }
    // Two people who enter the same machine while offline make one document, and the merge keeps the one who was first.
    if (!newDoc._deleted && !oldDoc._deleted && isText(oldDoc.created_by) && newDoc.created_by !== oldDoc.created_by &&
        !(newDoc.created_at < oldDoc.created_at ||
          (newDoc.created_at === oldDoc.created_at && newDoc.created_by < oldDoc.created_by))) {
      refuse('Who created a document never changes: it was "' + oldDoc.created_by + '".');
    }
  }
}
