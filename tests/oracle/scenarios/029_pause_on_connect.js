'use strict';
// pauseOnConnect withholds data and end until resume(), loses nothing
const { LO, later, mark, net, rec, scenario, watch } = require('./recorder');
scenario(__filename, 'ACC-5 FLOW-5 FLOW-3');

const srv = net.createServer({ pauseOnConnect: true }, (s) => {
  rec('server_socket', 'paused', s.isPaused());
  watch('server_socket', s, { connect: false });
  later(200, () => {
    mark('server_socket', 'before resume()');
    s.resume();
    mark('server_socket', 'resume() returned');
  });
  s.on('close', () => srv.close());
});
srv.listen(0, LO, () => {
  const c = net.connect(srv.address().port, LO);
  c.end('early data');
  c.resume();
});
