'use strict';
// half-open connection never closes by itself
const { LO, later, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'HALF-6 HALF-2 END-6 DEST-1');

const srv = net.createServer({ allowHalfOpen: true }, (s) => {
  watch('server_socket', s, { connect: false });
  s.on('end', () =>
    later(300, () => {
      rec('server_socket', 'state', s.destroyed, s.writable, s.readable);
      s.destroy();
    }),
  );
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.end('x');
  c.on('end', () => mark('client', 'server is gone'));
});
