using RaftMq.Kafka.Wire.Client;

namespace RaftMq.Cli.Admin;

/// <summary>What answers at an address that did not answer as it should: the addresses of Kafka and of HTTP are easily taken for each other.</summary>
internal static class PortProbe
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(2);

    /// <summary>Those that speak Kafka's protocol.</summary>
    public static async Task<IReadOnlyList<Uri>> KafkaAtAsync(IReadOnlyList<Uri> addresses, CancellationToken cancellation)
    {
        bool[] kafka = await Task.WhenAll(addresses.Select(address => SpeaksKafkaAsync(new KafkaEndpoint(address.Host, address.Port), cancellation)));
        return [.. addresses.Where((_, n) => kafka[n])];
    }

    /// <summary>Those that speak HTTP.</summary>
    public static async Task<IReadOnlyList<KafkaEndpoint>> HttpAtAsync(IEnumerable<KafkaEndpoint> addresses, CancellationToken cancellation)
    {
        KafkaEndpoint[] all = [.. addresses];
        using var http = new HttpClient { Timeout = TimeLimit };
        bool[] speaks = await Task.WhenAll(all.Select(address => SpeaksHttpAsync(http, address, cancellation)));
        return [.. all.Where((_, n) => speaks[n])];
    }

    /// <summary>Begins with a space; empty where there is none.</summary>
    public static string KafkaSentence(IEnumerable<Uri> addresses) => Sentence(
        addresses.Select(address => address.Authority), "Kafka's protocol and not HTTP: an address for --bootstrap, it seems, not for --admin");

    /// <inheritdoc cref="KafkaSentence"/>
    public static string HttpSentence(IEnumerable<KafkaEndpoint> addresses) => Sentence(
        addresses.Select(address => address.ToString()), "HTTP and not Kafka's protocol: an address for --admin, it seems, not for --bootstrap");

    private static string Sentence(IEnumerable<string> addresses, string what)
    {
        string[] all = [.. addresses];
        return all.Length == 0 ? "" : $" {string.Join(", ", all)} {(all.Length == 1 ? "speaks" : "speak")} {what}.";
    }

    private static async Task<bool> SpeaksKafkaAsync(KafkaEndpoint address, CancellationToken cancellation)
    {
        try
        {
            await using KafkaConnection connection = await KafkaConnection.ConnectAsync(
                address, new KafkaConnectionOptions { ClientId = "raftmq-cli", ConnectTimeout = TimeLimit }, cancellation);
            return true;
        }
        catch (Exception wrong) when (IsNoAnswer(wrong, cancellation))
        {
            return false;
        }
    }

    private static async Task<bool> SpeaksHttpAsync(HttpClient http, KafkaEndpoint address, CancellationToken cancellation)
    {
        try
        {
            using HttpResponseMessage any = await http.GetAsync(
                new UriBuilder("http", address.Host, address.Port).Uri, HttpCompletionOption.ResponseHeadersRead, cancellation);
            return true;
        }
        catch (Exception wrong) when (IsNoAnswer(wrong, cancellation))
        {
            return false;
        }
    }

    /// <summary>Whatever is wrong there, the fault that is being told already is the one to tell: only the user ends a probe otherwise.</summary>
    private static bool IsNoAnswer(Exception wrong, CancellationToken cancellation) =>
        wrong is not OperationCanceledException || !cancellation.IsCancellationRequested;
}
