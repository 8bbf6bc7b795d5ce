// One row for each customer and each visit to it: [customer] -> the day as days since 1970, so that _stats.max is the
// last visit. The customer itself gives day 0: a customer nobody ever visited has a row too. Customers who are not
// active are left out by the page, which has the document anyway.
function (doc) {
  if (doc.type !== 'customer' && doc.type !== 'activity') { return; }
  var at;
  if (doc.type === 'customer') {
    emit(doc._id, 0);
  }
  if (doc.type === 'activity' && doc.kind === 'visit' && doc.customer && doc.at) {
    at = Date.parse(String(doc.at).slice(0, 10) + 'T00:00:00Z');
    if (!isNaN(at)) {
      emit(doc.customer, Math.floor(at / 86400000));
    }
  }
}
