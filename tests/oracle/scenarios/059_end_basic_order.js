'use strict';
// graceful close: end callback, end, close on both sides
const { LO, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'END-1 END-4 END-7 END-8 END-9 HALF-1 CLOSE-1 CLOSE-4');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch('client', net.connect(srv.address().port, LO));
  c.on('connect', () => {
    const r = c.end('bye', () =>
      rec('client', 'end-callback', c.writableFinished),
    );
    rec(
      'client',
      'mark',
      'end() returned',
      r === c,
      c.writable,
      c.writableEnded,
      c.writableFinished,
    );
  });
});
