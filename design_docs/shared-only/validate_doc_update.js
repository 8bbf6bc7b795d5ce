// An administrator's connection is asked as well: a dealer's node may have been given the server's own password.
// Only what has come here all the same may an administrator delete.
function (newDoc, oldDoc, userCtx) {
  var isAdministrator = userCtx.roles.indexOf('_admin') !== -1;
  if (newDoc.share === 'manufacturer' || (isAdministrator && (newDoc._deleted || newDoc._id.indexOf('_design/') === 0))) {
    return;
  }
  throw ({forbidden: 'This document is shared within the dealership only and has no place at the manufacturer.'});
}
