'use strict';
// zero-length write: callback yes, data no
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'DATA-7 WRITE-13 WRITE-2');

const srv = net.createServer((s) =>
  watch('server_socket', s, { connect: false }).on('close', () => srv.close()),
);
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    rec(
      'client',
      'write',
      c.write('', () => {
        rec('client', 'cb', c.bytesWritten);
        later(50, () => c.end());
      }),
    );
  });
});
