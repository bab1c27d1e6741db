declare const Plotly: any;
interface Window {
  PlotlyGeoAssets: any;
}
