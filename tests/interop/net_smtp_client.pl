# Perl's Net::SMTP with Authen::SASL. Arguments: port, mechanism and, for TLS, version, CA,
# certificate, key; standard input: user, password, a line each. Exit status 0 if it could log in.
# With --mechanisms it lists which of the arguments it knows.
use strict;
use warnings;
use Authen::SASL qw(Perl);
use Net::SMTP;

sub sasl {
  my ($mechanism, $user, $password) = @_;
  return Authen::SASL->new(mechanism => $mechanism,
                           callback => {user => $user, authname => '', pass => $password});
}

if ($ARGV[0] eq '--mechanisms') {
  shift;
  for my $name (@ARGV) {
    print "$name\n" if eval { sasl($name, 'u', 'p')->client_new('smtp', 'h'); 1 };
  }
  exit 0;
}
my ($port, $mechanism, $version, $ca, $certificate, $key) = @ARGV;
chomp(my ($user, $password) = (scalar <STDIN>, scalar <STDIN>));
my $smtp = Net::SMTP->new('127.0.0.1', Port => $port, Timeout => 30) or die "no greeting\n";
if ($version) {
  $smtp->starttls(SSL_version => 'TLSv1_' . substr($version, 2), SSL_ca_file => $ca,
                  $certificate ? (SSL_cert_file => $certificate, SSL_key_file => $key) : ())
    or die "no TLS: $@\n";
}
my $in = $smtp->auth(sasl($mechanism, $user, $password));
$smtp->quit;
exit($in ? 0 : 1);
