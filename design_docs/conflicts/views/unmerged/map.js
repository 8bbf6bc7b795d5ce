// One row for each document with conflicting leaves: type -> the revisions that lost.
function (doc) {
  if (doc._conflicts) {
    emit(doc.type || '', doc._conflicts);
  }
}
