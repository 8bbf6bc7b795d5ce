// One row for each deletion, but for those that went along with another document's: [at].
function (doc) {
  if (doc.type !== 'change') { return; }
  if (doc.deleted && doc.document && !doc.deleted_with) {
    emit([doc.at || ''], null);
  }
}
