# Answers on one port for all of "the internet": TCP says a line and then echoes, UDP echoes. It stores nothing.
use strict;
use warnings;
use IO::Select;
use Socket qw(:DEFAULT IPPROTO_TCP SOCK_NONBLOCK);

my $port = shift or die "usage: canary.pl PORT\n";
$SIG{PIPE} = 'IGNORE';
socket(my $tcp, PF_INET, SOCK_STREAM, IPPROTO_TCP) or die "tcp: $!";
setsockopt($tcp, SOL_SOCKET, SO_REUSEADDR, 1);
bind($tcp, sockaddr_in($port, INADDR_ANY)) or die "bind tcp: $!";
listen($tcp, 64) or die "listen: $!";
socket(my $udp, PF_INET, SOCK_DGRAM, 0) or die "udp: $!";
bind($udp, sockaddr_in($port, INADDR_ANY)) or die "bind udp: $!";

my $select = IO::Select->new($tcp, $udp);
my %since;
while (1) {
  for my $ready ($select->can_read(5)) {
    if ($ready == $udp) {
      my $from = recv($udp, my $data, 65535, 0);
      send($udp, $data, 0, $from) if defined $from;
    } elsif ($ready == $tcp) {
      accept(my $client, $tcp) or next;
      # A bounded number of guests: the one who has stayed longest goes.
      if (keys %since >= 64) {
        my ($oldest) = sort { $since{$a}[0] <=> $since{$b}[0] } keys %since;
        drop($since{$oldest}[1]);
      }
      $since{fileno $client} = [time, $client];
      $select->add($client);
      syswrite($client, "canary\n");
    } else {
      my $read = sysread($ready, my $data, 4096);
      if ($read) { syswrite($ready, $data) } else { drop($ready) }
    }
  }
}

sub drop {
  my ($client) = @_;
  delete $since{fileno $client};
  $select->remove($client);
  close($client);
}
