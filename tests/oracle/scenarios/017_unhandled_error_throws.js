'use strict';
// 'error' without listener surfaces as an exception out of the loop
const { net, path, rec, scenario, tmp } = require('./recorder');
scenario(__filename, 'EVT-4 CONN-6');

process.once('uncaughtException', (e) => rec('process', 'uncaught', e.code));
const c = net.connect(path.join(tmp(), 'none.sock'));
c.on('close', (h) => rec('client', 'close', h));
