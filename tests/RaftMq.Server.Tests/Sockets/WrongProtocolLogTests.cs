using Microsoft.Extensions.Logging;
using RaftMq.Server.Sockets;
using RaftMq.Server.Tests.Security;

namespace RaftMq.Server.Tests.Sockets;

public sealed class WrongProtocolLogTests
{
    [Fact]
    public void One_line_in_a_while_says_how_many_it_stands_for()
    {
        var lines = new ListLogger();
        var time = new ManualTime();
        var log = new WrongProtocolLog(lines, time, "http.listen is for HTTP");
        log.Closed("a:1", SpokenProtocol.Kafka);
        log.Closed("a:2", SpokenProtocol.Tls);
        time.Advance(WrongProtocolLog.LineEvery - TimeSpan.FromSeconds(1));
        log.Closed("a:3", SpokenProtocol.Tls);
        time.Advance(TimeSpan.FromSeconds(1));
        log.Closed("a:4", SpokenProtocol.Tls);
        time.Advance(WrongProtocolLog.LineEvery);
        log.Closed("a:5", SpokenProtocol.Unknown);

        Assert.Equal(
            [
                "http.listen is for HTTP; a connection from a:1 began like a Kafka request without TLS and was closed",
                "http.listen is for HTTP; a connection from a:4 began like a TLS handshake and was closed (2 more were since the last such line)",
                "http.listen is for HTTP; a connection from a:5 began like neither of the protocols that are spoken here and was closed",
            ],
            lines.Of(1103));
        Assert.All(lines.Lines, line => Assert.Equal(LogLevel.Warning, line.Level));
    }

    [Theory]
    [InlineData(new byte[0], nameof(SpokenProtocol.Unknown))]
    [InlineData(new byte[] { 0 }, nameof(SpokenProtocol.Kafka))]
    [InlineData(new byte[] { 0, 0, 0, 38, 0, 18, 0, 3 }, nameof(SpokenProtocol.Kafka))]
    [InlineData(new byte[] { 22 }, nameof(SpokenProtocol.Tls))]
    [InlineData(new byte[] { 22, 3, 0, 9 }, nameof(SpokenProtocol.Tls))]
    [InlineData(new byte[] { 22, 4, 0, 9 }, nameof(SpokenProtocol.Unknown))]
    [InlineData(new byte[] { (byte)'D', (byte)'E', (byte)'L', (byte)'E' }, nameof(SpokenProtocol.Http))]
    [InlineData(new byte[] { (byte)'G', (byte)'E' }, nameof(SpokenProtocol.Unknown))]
    public void Protocol_is_known_by_its_first_bytes(byte[] bytes, string protocol) => Assert.Equal(protocol, FirstBytes.Of(bytes).ToString());
}
