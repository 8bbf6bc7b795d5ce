// Machines by half a degree of latitude and longitude, so that a map of any number of machines stays small.
function (doc) {
  if (doc.type === 'machine' && doc.position && typeof doc.position.latitude === 'number' &&
      typeof doc.position.longitude === 'number') {
    emit([Math.round(doc.position.latitude * 2) / 2, Math.round(doc.position.longitude * 2) / 2], 1);
  }
}
