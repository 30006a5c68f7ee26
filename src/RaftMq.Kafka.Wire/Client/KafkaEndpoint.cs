using System.Globalization;

namespace RaftMq.Kafka.Wire.Client;

/// <summary>Where a broker listens.</summary>
public readonly record struct KafkaEndpoint(string Host, int Port)
{
    /// <summary>The port where an address has none.</summary>
    public const int DefaultPort = 9092;

    /// <summary>Reads "host", "host:port" or "[v6 address]:port"; what has a scheme or a path is an address of something else.</summary>
    public static bool TryParse(string text, out KafkaEndpoint endpoint)
    {
        endpoint = default;
        string host = text.Trim();
        int port = DefaultPort;
        int colon = host.LastIndexOf(':');
        int bracket = host.LastIndexOf(']');
        if (colon > bracket && (bracket >= 0 || host.IndexOf(':') == colon))
        {
            if (!int.TryParse(host.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
                || port is < 1 or > 65_535)
            {
                return false;
            }

            host = host[..colon];
        }

        host = host.TrimStart('[').TrimEnd(']');
        endpoint = new KafkaEndpoint(host, port);
        return host.Length > 0 && !host.Contains('/', StringComparison.Ordinal);
    }

    /// <summary>Reads a list with commas, as clients call bootstrap servers.</summary>
    public static bool TryParseList(string text, out IReadOnlyList<KafkaEndpoint> endpoints)
    {
        List<KafkaEndpoint> parsed = [];
        endpoints = parsed;
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!TryParse(part, out KafkaEndpoint endpoint))
            {
                return false;
            }

            parsed.Add(endpoint);
        }

        return parsed.Count > 0;
    }

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
