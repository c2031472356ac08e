'use strict';
// listen() on a listening server throws and does no harm
const { LO, net, rec, scenario, watch, watch_server } = require('./recorder');
scenario(__filename, 'LISTEN-9');

const srv = watch_server(
  'server',
  net.createServer((s) => s.end('ok')),
);
srv.listen(0, LO, () => {
  try {
    srv.listen(0, LO);
  } catch (e) {
    rec('server', 'throws', e.code, srv.listening);
  }
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('close', () => srv.close());
});
