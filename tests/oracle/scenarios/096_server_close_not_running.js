'use strict';
// close() on a server that is not listening
const { mark, net, rec, scenario, watch_server } = require('./recorder');
scenario(__filename, 'SCLOSE-2 SCLOSE-6');

const srv = watch_server('server', net.createServer());
rec(
  'server',
  'returns',
  srv.close((e) => rec('server', 'close-callback', e ? e.code : null)) === srv,
);
mark('server', 'close() returned');
