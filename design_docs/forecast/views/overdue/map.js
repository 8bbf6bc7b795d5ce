// Machines with work that should have been done already: [dealer, how many lines are overdue].
function (doc) {
  if (doc.type === 'standing' && doc.overdue > 0) {
    emit([doc.dealer, doc.overdue], doc.overdue);
  }
}
