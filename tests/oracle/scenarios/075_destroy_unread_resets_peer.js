'use strict';
// closing with unread input makes the kernel reset the peer
const { LO, later, net, scenario, watch } = require('./recorder');
scenario(__filename, 'DEST-6 ERR-2 CLOSE-2 CLOSE-3');

const srv = net.createServer({ pauseOnConnect: true }, (s) => {
  watch('server_socket', s, { connect: false, data: false });
  later(150, () => s.destroy());
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => c.write('never read'));
});
