// How many machines are where, with the sums of their latitudes and longitudes, so that a place is drawn in their middle.
// The key ends in the squares of a map in the projection of Mercator that the machine lies in, each a quarter of the
// one before (0 north-west, 1 north-east, 2 south-west, 3 south-east): the number of parts asked for is the zoom.
function (doc) {
  if (doc.type !== 'machine') { return; }
  if (!doc.position) { return; }
  // Where a machine was that was sold on or scrapped is not where it is.
  if (doc.status === 'sold on' || doc.status === 'scrapped') { return; }
  var latitude = doc.position.latitude, longitude = doc.position.longitude;
  if (typeof latitude !== 'number' || typeof longitude !== 'number') { return; }
  if (!(Math.abs(latitude) <= 85) || !(Math.abs(longitude) <= 180)) { return; }
  var DEPTH = 15;
  var sine = Math.sin(latitude * Math.PI / 180);
  var x = longitude / 360 + 0.5;
  var y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  var squares = [];
  for (var n = 0; n < DEPTH; n++) {
    x *= 2;
    y *= 2;
    var east = x >= 1 ? 1 : 0, south = y >= 1 ? 1 : 0;
    squares.push(east + 2 * south);
    x -= east;
    y -= south;
  }
  var make = typeof doc.make === 'string' ? doc.make : '';
  var value = [1, latitude, longitude];
  emit(['all'].concat(squares), value);
  emit(['dealer', doc.dealer].concat(squares), value);
  emit(['make', make].concat(squares), value);
  emit(['dealer and make', doc.dealer, make].concat(squares), value);
}
