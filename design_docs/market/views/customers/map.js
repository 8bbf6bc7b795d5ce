// Customers of each dealer: [dealer, name].
function (doc) {
  if (doc.type !== 'customer') { return; }
  emit([doc.dealer, typeof doc.name === 'string' ? doc.name.slice(0, 80) : ''], null);
}
