'use strict';
// writes issued before 'connect' are queued, counted and delivered in order
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'WRITE-1 WRITE-2 WRITE-16 CNT-3 DATA-1');

const srv = net.createServer((s) =>
  watch('server_socket', s, { connect: false }).on('close', () => srv.close()),
);
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  const err = (e) => (e ? e.code : null);
  const cb = (i) => (e) => rec('callbacks', i, err(e), c.connecting);
  rec('client', 'write', c.write('one,', cb(1)));
  rec('client', 'write', c.write('two,', cb(2)));
  rec('client', 'pending', c.bytesWritten, c.writableLength);
  watch('client', c);
  c.on('connect', () => {
    rec(
      'client',
      'write',
      c.write('three', (e) => {
        cb(3)(e);
        c.end();
      }),
    );
  });
  c.on('close', () => rec('client', 'bytesWritten', c.bytesWritten));
});
