'use strict';
// write() on a socket that was never told to connect
const { mark, net, rec, scenario } = require('./recorder');
scenario(__filename, 'WRITE-14 CLOSE-2 ERR-1');

const c = new net.Socket();
c.on('error', (e) => rec('client', 'error', e.code));
c.on('close', () => rec('client', 'close'));
rec(
  'client',
  'write',
  c.write('x', (e) => rec('write_cb', 'cb', e && e.code)),
);
mark('client', 'write() returned');
