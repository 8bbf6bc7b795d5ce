// The customer and each document that names it: [customer, type, what its kind is sorted by]. Read with include_docs.
function (doc) {
  var SORTED_BY = {
    activity: 'at',
    machine: 'make',
    opportunity: 'expected_on',
    person: 'name',
    keepsake: 'birthday',
    service: 'done_on',
    task: 'due_on'
  };
  if (doc.type === 'customer') {
    emit([doc._id, 'customer', ''], null);
  } else if (typeof doc.customer === 'string' && doc.customer && typeof doc.type === 'string' && doc.type !== 'change') {
    var sorted = doc[SORTED_BY[doc.type] || 'created_at'];
    emit([doc.customer, doc.type, typeof sorted === 'string' ? sorted.slice(0, 60) : ''], null);
  }
}
