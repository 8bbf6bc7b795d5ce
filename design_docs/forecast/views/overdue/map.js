// Machines with work that should have been done already: [dealer, make], null standing for all dealers -> how many lines.
function (doc) {
  if (doc.type !== 'standing') { return; }
  if (!(doc.overdue > 0)) { return; }
  var make = typeof doc.make === 'string' ? doc.make : '';
  emit([null, make], doc.overdue);
  emit([doc.dealer, make], doc.overdue);
}
