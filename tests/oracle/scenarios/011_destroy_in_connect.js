'use strict';
// destroy() inside the connect listener
const { LO, mark, net, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-1 DEST-5 CONN-2 CLOSE-1');

const srv = net.createServer((s) =>
  watch('server_socket', s, { connect: false }).on('close', () => srv.close()),
);
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    c.destroy();
    mark('client', 'destroy() returned');
  });
});
