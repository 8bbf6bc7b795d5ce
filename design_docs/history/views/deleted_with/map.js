// One row for each deletion that went along with another document's: [that document, at].
function (doc) {
  if (doc.type !== 'change') { return; }
  if (doc.deleted && doc.document && doc.deleted_with) {
    emit([doc.deleted_with, doc.at || ''], null);
  }
}
