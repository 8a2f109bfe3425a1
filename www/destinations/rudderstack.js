export default {
  kind: "rudderstack",
  script: /rudder|\/rsa\.(min\.)?js/,

  send({ name, properties, options }) {
    window.rudderanalytics.track(name, properties, options);
    return "";
  },
};
