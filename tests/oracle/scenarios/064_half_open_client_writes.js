'use strict';
// client with allowHalfOpen keeps writing after the server's FIN
const { LO, later, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'HALF-2 HALF-5 CLOSE-4');

const srv = net.createServer((s) => {
  watch('server_socket', s, { connect: false });
  s.end('over to you');
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = watch(
    'client',
    net.connect({ port: srv.address().port, host: LO, allowHalfOpen: true }),
  );
  c.on('end', () =>
    later(120, () => {
      rec('client', 'state', c.readyState, c.writable, c.destroyed);
      c.write('still ');
      later(30, () => c.end('here'));
    }),
  );
});
