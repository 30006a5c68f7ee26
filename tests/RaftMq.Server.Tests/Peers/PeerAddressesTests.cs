using System.Net;
using RaftMq.Server.Peers;

namespace RaftMq.Server.Tests.Peers;

public sealed class PeerAddressesTests
{
    private static readonly PeerAddress Configured = At(7070, PeerAddressSource.Configured);
    private static readonly PeerAddress Recorded = At(7171, PeerAddressSource.Recorded);
    private static readonly PeerAddress Said = At(7272, PeerAddressSource.Said);

    [Fact]
    public void Every_address_is_tried_once_in_a_round_with_the_news_first()
    {
        var addresses = new PeerAddresses(Configured);
        addresses.Learn(Recorded);
        addresses.Learn(Said);

        Assert.Equal([Said, Recorded, Configured], Round(addresses));
        Assert.Equal([Said, Recorded, Configured], Round(addresses));
    }

    [Fact]
    public void Where_the_node_answered_is_tried_first_until_there_is_news()
    {
        var addresses = new PeerAddresses(Configured);
        addresses.Learn(Recorded);
        addresses.Answered(Configured);

        Assert.Equal([Configured, Recorded], Round(addresses));

        addresses.Learn(Recorded);
        Assert.Equal(Configured, addresses.Current);

        PeerAddress moved = At(7373, PeerAddressSource.Recorded);
        addresses.Learn(moved);
        Assert.Equal([moved, Configured], Round(addresses));
    }

    [Fact]
    public void Sources_that_agree_cost_one_dial()
    {
        var addresses = new PeerAddresses(Configured);
        addresses.Learn(Configured with { Source = PeerAddressSource.Recorded });
        addresses.Learn(Configured with { Where = new DnsEndPoint("LOCALHOST", 7070), Source = PeerAddressSource.Said });

        Assert.Single(Round(addresses));
    }

    [Fact]
    public void News_that_comes_during_a_dial_is_tried_before_the_round_goes_on()
    {
        var addresses = new PeerAddresses(Configured);
        PeerAddress dialled = addresses.Current;
        addresses.Learn(Said);

        Assert.True(addresses.TryNext(dialled));
        Assert.Equal(Said, addresses.Current);
    }

    private static PeerAddress At(int port, PeerAddressSource source) => new(new DnsEndPoint("localhost", port), source);

    private static List<PeerAddress> Round(PeerAddresses addresses)
    {
        var tried = new List<PeerAddress>();
        bool goesOn = true;
        while (goesOn)
        {
            tried.Add(addresses.Current);
            goesOn = addresses.TryNext(addresses.Current);
        }

        return tried;
    }
}
