using System.Globalization;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.LocalCluster;

/// <summary>
/// How many nodes a data folder was made with: the first start writes it into <c>up.nodes</c>. A cluster keeps the nodes it was formed with, so
/// another number would wait for nodes that never come, or start a part of them as if it were the whole.
/// </summary>
internal static class FolderNodes
{
    private const string NodePrefix = "node-";

    /// <exception cref="CommandFailedException">It was made with another number of nodes; nothing was changed.</exception>
    public static void Check(LocalClusterOptions options)
    {
        if (Of(options.DataFolder) is { } made && made != options.Nodes)
        {
            throw new CommandFailedException(
                ExitCodes.NodeCannotStart,
                $"The data folder {options.DataFolder} holds a cluster of {Counted.Of(made, "node")}, and a cluster keeps the nodes it was formed with: "
                + $"start it with --nodes {made}, or begin a new one in another folder (--data).");
        }
    }

    /// <exception cref="CommandFailedException">The folder can't be written.</exception>
    public static void Note(LocalClusterOptions options)
    {
        try
        {
            File.WriteAllText(FileIn(options.DataFolder), options.Nodes.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.NoRoom, $"The data folder {options.DataFolder} can't be written: {wrong.Message}");
        }
    }

    /// <summary>Null where no node has formatted its folder yet. Folders of starts that wrote no number have as many nodes as there are folders.</summary>
    private static int? Of(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        int[] formatted =
        [
            .. Directory.EnumerateDirectories(folder, NodePrefix + "*")
                .Where(node => File.Exists(Path.Combine(node, "identity")))
                .Select(node => int.TryParse(Path.GetFileName(node)[NodePrefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : -1)
                .Where(number => number >= 0),
        ];
        return formatted.Length == 0 ? null
            : File.Exists(FileIn(folder)) && int.TryParse(File.ReadAllText(FileIn(folder)), NumberStyles.None, CultureInfo.InvariantCulture, out int noted) ? noted
            : formatted.Max() + 1;
    }

    private static string FileIn(string folder) => Path.Combine(folder, "up.nodes");
}
