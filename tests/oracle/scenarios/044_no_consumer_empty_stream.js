'use strict';
// no reader, but the peer sent no bytes either: 'end' and 'close' come without
// any consumption
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'FLOW-12 END-6 HALF-1');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false, data: false });
  later(300, () => {
    rec('server_socket', 'mark', '300 ms', s.isPaused(), s.destroyed);
  });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.resume();
  c.end();
});
