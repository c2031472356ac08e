'use strict';
// destroy() inside the error listener changes nothing
const { mark, net, path, rec, scenario, tmp, watch } = require('./recorder');
scenario(__filename, 'ERR-1 CLOSE-1 CLOSE-2 CLOSE-3 DEST-3');

const c = watch('client', net.connect(path.join(tmp(), 'nope.sock')));
c.on('error', () => {
  rec('client', 'in-error', c.destroyed);
  c.destroy(new Error('again'));
  c.end();
  mark('client', 'destroy() returned');
});
