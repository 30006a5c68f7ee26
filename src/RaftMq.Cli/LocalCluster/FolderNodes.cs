using System.Globalization;
using RaftMq.Cli.Output;

namespace RaftMq.Cli.LocalCluster;

/// <summary>
/// How many nodes a data folder was made with: the first start writes it into <c>up.nodes</c>. A cluster keeps the nodes it was formed with, so
/// another number would wait for nodes that never come, or start a part of them as if it were the whole. Without that note, as folders of
/// older starts are, nobody knows: a node's folder may be of one that the cluster never took.
/// </summary>
internal static class FolderNodes
{
    private const string NodePrefix = "node-";

    /// <returns>A sentence for the user; null where there is nothing to say.</returns>
    /// <exception cref="CommandFailedException">It was made with another number of nodes, or can't be read; nothing was changed.</exception>
    public static string? Check(LocalClusterOptions options)
    {
        int formatted = Formatted(options.DataFolder);
        int? noted = formatted > 0 ? Noted(options.DataFolder) : null;
        if (noted is { } made && made != options.Nodes)
        {
            throw new CommandFailedException(
                ExitCodes.NodeCannotStart,
                $"The data folder {options.DataFolder} holds a cluster of {Counted.Of(made, "node")}, and a cluster keeps the nodes it was formed with: "
                + $"start it with --nodes {made}, or begin a new one in another folder (--data).");
        }

        if (formatted == 0 || noted is not null || formatted == options.Nodes)
        {
            return null;
        }

        string unknown = $"The data folder {options.DataFolder} has folders of {Counted.Of(formatted, "node")} "
            + "and does not say with how many its cluster was formed";
        return options.Nodes < formatted
            ? $"{unknown}: starting {options.Nodes} of them, which is right only if it was {options.Nodes}."
            : throw new CommandFailedException(
                ExitCodes.NodeCannotStart,
                $"{unknown}, which can't be {options.Nodes}: start it with --nodes {formatted} or fewer, "
                + "or begin a new one in another folder (--data).");
    }

    /// <summary>
    /// Notes the number in a folder in which no node has begun yet. Beside and renamed, so that there is a whole note or none; one that a power cut
    /// empties all the same counts as none.
    /// </summary>
    /// <exception cref="CommandFailedException">The folder can't be read or written.</exception>
    public static void Note(LocalClusterOptions options)
    {
        if (Formatted(options.DataFolder) > 0)
        {
            return;
        }

        try
        {
            string whole = FileIn(options.DataFolder);
            string beside = whole + ".new";
            File.WriteAllText(beside, options.Nodes.ToString(CultureInfo.InvariantCulture));
            File.Move(beside, whole, overwrite: true);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.NoRoom, $"The data folder {options.DataFolder} can't be written: {wrong.Message}");
        }
    }

    /// <summary>How many there are up to the last node that has formatted its folder; 0 where none has.</summary>
    private static int Formatted(string folder) => Read(folder, () => Directory.EnumerateDirectories(folder, NodePrefix + "*")
        .Where(node => File.Exists(Path.Combine(node, "identity")))
        .Select(node => Number(Path.GetFileName(node)[NodePrefix.Length..]) ?? -1)
        .Append(-1)
        .Max() + 1);

    /// <summary>Null where there is no note, or none that can be understood.</summary>
    private static int? Noted(string folder) => Read<int?>(folder, () => Number(File.ReadAllText(FileIn(folder))) is > 0 and var noted ? noted : null);

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    /// <returns>The default where there is no such file or folder.</returns>
    private static T? Read<T>(string folder, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return default;
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailedException(ExitCodes.NoRoom, $"The data folder {folder} can't be read: {wrong.Message}");
        }
    }

    private static string FileIn(string folder) => Path.Combine(folder, "up.nodes");
}
