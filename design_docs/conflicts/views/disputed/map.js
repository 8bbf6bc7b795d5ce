// One row for each document with disputes, by its id: whether those that a page lists are among them.
function (doc) {
  if (doc.disputes && doc.disputes.length) {
    emit(doc._id, null);
  }
}
