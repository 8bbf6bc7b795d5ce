// Machines that a bulletin concerns: [dealer, make, "all" and "open" or "done", bulletin, the machine's dealer]; a first
// dealer that is null stands for all of them.
function (doc) {
  if (doc.type !== 'standing') { return; }
  if (!doc.bulletins) { return; }
  var make = typeof doc.make === 'string' ? doc.make : '';
  doc.bulletins.forEach(function (row) {
    ['all', row.done ? 'done' : 'open'].forEach(function (state) {
      emit([null, make, state, row.bulletin, doc.dealer], null);
      emit([doc.dealer, make, state, row.bulletin, doc.dealer], null);
    });
  });
}
