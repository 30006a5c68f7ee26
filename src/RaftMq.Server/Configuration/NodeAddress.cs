using System.Globalization;

namespace RaftMq.Server.Configuration;

/// <summary>Another node and where its peers' port is: <c>id@host:port</c>.</summary>
internal sealed record NodeAddress(int NodeId, HostPort Address)
{
    /// <exception cref="FormatException">Says what is wrong, as the end of a sentence.</exception>
    public static NodeAddress Parse(string text)
    {
        int at = text.IndexOf('@');
        if (at < 1 || !int.TryParse(text[..at], NumberStyles.None, CultureInfo.InvariantCulture, out int id))
        {
            throw new FormatException($"'{text}' is not id@host:port");
        }

        return new NodeAddress(id, HostPort.Parse(text[(at + 1)..]));
    }

    public override string ToString() => $"{NodeId}@{Address}";
}
