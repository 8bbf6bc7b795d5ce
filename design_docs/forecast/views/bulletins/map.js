// Machines that a bulletin concerns: ["bulletin", bulletin, "open" or "done", dealer], ["dealer", dealer, bulletin, …].
function (doc) {
  if (doc.type === 'standing' && doc.bulletins) {
    doc.bulletins.forEach(function (row) {
      var state = row.done ? 'done' : 'open';
      emit(['bulletin', row.bulletin, state, doc.dealer], null);
      emit(['dealer', doc.dealer, row.bulletin, state], null);
    });
  }
}
