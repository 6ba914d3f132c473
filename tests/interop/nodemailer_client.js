// nodemailer's SMTP client. One JSON object on standard input: {port, mechanism, user, password}; exit
// status 0 if it could log in. With --mechanisms it lists which of the arguments it knows.
'use strict';
const SMTPConnection = require('nodemailer/lib/smtp-connection');

function knows(mechanism) {
  // Without a socket nothing is sent; only the choice of the method happens.
  const connection = new SMTPConnection({authMethod: mechanism});
  connection._sendCommand = () => {};
  let known = true;
  connection.login({user: 'u', pass: 'p', credentials: {user: 'u', pass: 'p'}, method: mechanism},
                   error => { known = !/^Unknown authentication method/.test(error.message); });
  return known;
}

function logIn({port, mechanism, user, password}) {
  const transport = require('nodemailer').createTransport({
    host: '127.0.0.1', port, secure: false, ignoreTLS: true, authMethod: mechanism,
    auth: {user, pass: password}});
  transport.verify().then(() => process.exit(0), error => {
    process.stderr.write(`${error.code} ${error.responseCode}\n`);
    process.exit(1);
  });
}

if (process.argv[2] === '--mechanisms') {
  console.log(process.argv.slice(3).filter(knows).join('\n'));
} else {
  logIn(JSON.parse(require('fs').readFileSync(0, 'utf8')));
}
