'use strict';
// address that is not local (TEST-NET-3)
const { mark, net, rec, scenario, watch_server } = require('./recorder');
scenario(__filename, 'LISTEN-18 LISTEN-17 LISTEN-7');

const srv = watch_server('server', net.createServer());
srv.on('error', (e) =>
  rec('server', 'error-fields', e.syscall, e.address, srv.listening),
);
srv.listen(0, '203.0.113.7');
mark('server', 'listen() returned');
