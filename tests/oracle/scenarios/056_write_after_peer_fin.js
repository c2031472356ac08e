'use strict';
// default socket with queued output after the peer's FIN: it is already ended,
// write() fails with EPIPE
const { LO, later, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'WRITE-9 HALF-1 CLOSE-2 ERR-4');

const srv = net.createServer((s) => {
  s.on('error', () => {});
  s.pause();
  s.end();
  later(500, () => s.destroy());
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO), {
    data: false,
  });
  c.resume();
  c.on('connect', () => c.write(Buffer.alloc(24 << 20)));
  c.on('end', () =>
    later(50, () => {
      rec(
        'client',
        'state',
        c.writable,
        c.writableEnded,
        c.writableFinished,
        c.destroyed,
      );
      rec(
        'client',
        'write',
        c.write('too late', (e) => rec('write_cb', 'cb', e && e.code)),
      );
      mark('client', 'write() returned');
    }),
  );
});
